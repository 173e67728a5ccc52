#!/usr/bin/env bash
# Layers in jax.lax.scan, compiled for an NVIDIA GPU (which need not be there: JAX's topologies). A layer
# without a bias multiplies by its slice of the joined weights where that lies: XLA makes one "dynamic slice
# fusion" of slice and product. With a bias, which XLA adds inside the same call of cuBLASLt, so that it
# looks like the cheaper program, the slice of the weights is copied first, in every layer and every call.
# (JAX 0.10.2 copied it in either case.) Needs Python 3.12.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "jax[cuda13]==0.11.2"
cat >"$folder/program.py" <<'PYTHON'
import re
from importlib.metadata import version

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
LAYERS, WIDTH, ROWS = 8, 512, 2048
# What takes a slice of the weights, (1, 512, 512), out of their stack and writes it elsewhere.
COPY = re.compile(rf"= \(?.*\b\w+\[1,{WIDTH},{WIDTH}\].* fusion(-start)?\(")
IN_PLACE = re.compile(r"= .*\"name\":\"dynamic_slice_fusion\"")

[device, *_] = topologies.get_topology_desc(
    platform="cuda", topology_name="h200", topology="1x1x1", target_config=TARGET
).devices
there = NamedSharding(Mesh(np.array([device]), ("x",)), PartitionSpec())


def layers(x, weights, biases, with_bias):
    def layer(x, one):
        weight, bias = one
        return jnp.tanh(x @ weight + bias if with_bias else x @ weight), None

    return jax.lax.scan(layer, x, (weights, biases))[0]


def compiled(kind, with_bias):
    shapes = (ROWS, WIDTH), (LAYERS, WIDTH, WIDTH), (LAYERS, WIDTH)
    given = [jax.ShapeDtypeStruct(shape, kind, sharding=there) for shape in shapes]
    jitted = jax.jit(layers, static_argnums=3)
    lowered = jitted.trace(*given, with_bias).lower(lowering_platforms=("cuda",))
    # Products by cuBLAS; Triton's are chosen by trying, which needs the device.
    lines = lowered.compile({"xla_gpu_enable_triton_gemm": False}).as_text().splitlines()
    return [sum(bool(words.search(line)) for line in lines) for words in (IN_PLACE, COPY)]


print("jax", version("jax"))
print("expected: a bias changes nothing about how the weights of a layer are read")
for kind in (jnp.float32, jnp.bfloat16):
    found = {with_bias: compiled(kind, with_bias) for with_bias in (False, True)}
    for with_bias, (in_place, copies) in found.items():
        words = "with a bias" if with_bias else "without"
        print(f"seen, {kind.__name__}, {words}: {in_place} read in place, {copies} copied first")
    assert found == {False: [1, 0], True: [0, 1]}
PYTHON
export JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu,cuda JAX_ENABLE_COMPILATION_CACHE=0
"$folder/venv/bin/python" "$folder/program.py" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
