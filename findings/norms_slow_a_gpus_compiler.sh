#!/usr/bin/env bash
# XLA compiles for an NVIDIA GPU that is not there (JAX's topologies, with a description of the device, and
# JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1, since the plug-in asks a driver otherwise). What it then shows of a
# transformer's training step: one pass, which makes kernels of Triton's of norms and softmaxes
# ("triton-softmax-rewriter"), takes as long as all the rest of compiling or longer, because every loop
# beside such a kernel is tried for being fused with it. Norms and softmaxes are a few short lines of a
# model, and nothing says that they are what one waits for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "jax[cuda13]==0.10.2"
cat >"$folder/program.py" <<'PYTHON'
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec

TARGET = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048 core_count: 132
  shared_memory_per_block: 49152 shared_memory_per_core: 233472
  shared_memory_per_block_optin: 232448 registers_per_core_limit: 65536
  registers_per_block_limit: 65536 fpus_per_core: 128 clock_rate_ghz: 1.98
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 4800000000000 l2_cache_size: 62914560 device_memory_size: 150000000000
  cuda_compute_capability { major: 9 minor: 0 }
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 12 patch: 0 }
device_description_str: "NVIDIA H200"
"""
KEPT = jax.checkpoint_policies.dots_with_no_batch_dims_saveable
STACKS, LAYERS, WIDTH, ROWS, TIME, HEADS = 6, 8, 384, 32, 256, 12


def norm(x):
    wide = x.astype(jnp.float32)
    wide = wide - wide.mean(-1, keepdims=True)
    return (wide * jax.lax.rsqrt((wide**2).mean(-1, keepdims=True) + 1e-5)).astype(x.dtype)


def attention(x, w):
    q, k, v = jnp.split(norm(x) @ w["qkv"], 3, -1)
    q, k, v = (part.reshape(ROWS, TIME, HEADS, -1) for part in (q, k, v))
    weights = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k).astype(jnp.float32))
    return jnp.einsum("bhqk,bkhd->bqhd", weights.astype(x.dtype), v).reshape(x.shape) @ w["out"]


def layer(x, w):
    x = x + attention(x, w)
    return x + jax.nn.gelu(norm(x) @ w["up"]) @ w["down"], None


def loss(stacks, x):
    for stack in stacks:
        x = jax.lax.scan(jax.checkpoint(layer, policy=KEPT), x, stack)[0]
    return (norm(x).astype(jnp.float32) ** 3).mean()


[device, *_] = topologies.get_topology_desc(
    platform="cuda", topology_name="h200", topology="1x1x1", target_config=TARGET
).devices
there = NamedSharding(Mesh(np.array([device]), ("x",)), PartitionSpec())


def shaped(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.bfloat16, sharding=there)


shapes = {"qkv": 3 * WIDTH, "out": WIDTH, "up": 4 * WIDTH}
stack = {name: shaped(LAYERS, WIDTH, size) for name, size in shapes.items()}
stack["down"] = shaped(LAYERS, 4 * WIDTH, WIDTH)
given = [stack] * STACKS, shaped(ROWS, TIME, WIDTH)
lowered = jax.jit(jax.grad(loss)).trace(*given).lower(lowering_platforms=("cuda",))
begin = time.perf_counter()
options = {"xla_disable_hlo_passes": sys.argv[1]} if len(sys.argv) > 1 else None
lowered.compile(compiler_options=options)
print(round(time.perf_counter() - begin, 1))
PYTHON
export JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu,cuda JAX_ENABLE_COMPILATION_CACHE=0
python="$folder/venv/bin/python"
usual=$("$python" "$folder/program.py" 2>/dev/null | tail -1)
without=$("$python" "$folder/program.py" triton-softmax-rewriter 2>/dev/null | tail -1)
"$python" - "$usual" "$without" <<'PYTHON'
import sys
from importlib.metadata import version

usual, without = map(float, sys.argv[1:])
print("jax", version("jax"))
print("expected: compiling norms and softmaxes is a small part of compiling a transformer's step")
print(f"seen: {usual} s for an H200, {without} s without the pass that makes kernels of them")
assert usual > 1.4 * without
PYTHON
