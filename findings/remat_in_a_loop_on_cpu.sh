#!/usr/bin/env bash
# On a CPU, `jax.checkpoint` around the layers of a Python loop saves no memory: XLA drops the
# barriers that JAX puts in, finds that both passes compute the same, and keeps it after all. The
# same layers in `jax.lax.scan` take a fifth of the memory.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp

LAYERS, ROWS, WIDTH = 16, 4096, 64
WEIGHTS = (jnp.zeros((LAYERS, WIDTH, 4 * WIDTH)), jnp.zeros((LAYERS, 4 * WIDTH, WIDTH)))


def layer(x, weights):
    wide, narrow = weights
    return x + jnp.sin(x @ wide) @ narrow


def in_a_loop(layer):
    def total(weights, x):
        for each in zip(*weights):
            x = layer(x, each)
        return x.sum()

    return total


def in_a_scan(layer):
    def total(weights, x):
        return jax.lax.scan(lambda x, each: (layer(x, each), None), x, weights)[0].sum()

    return total


def gradient(total):
    """MiB of temporaries of the compiled gradient, its products of matrices, barriers asked for."""
    lowered = jax.jit(jax.grad(total)).lower(WEIGHTS, jnp.zeros((ROWS, WIDTH)))
    compiled = lowered.compile()
    memory = compiled.memory_analysis().temp_size_in_bytes / 2**20
    barriers = lowered.as_text().count("optimization_barrier")
    return memory, compiled.as_text().count(" dot("), barriers


kept = jax.checkpoint(layer)
seen = {
    "loop": gradient(in_a_loop(layer)),
    "loop, jax.checkpoint": gradient(in_a_loop(kept)),
    "scan": gradient(in_a_scan(layer)),
    "scan, jax.checkpoint": gradient(in_a_scan(kept)),
}
print("jax", jax.__version__, jax.default_backend())
print("expected: jax.checkpoint saves memory and costs products, in a loop as in a scan")
for name, (memory, products, barriers) in seen.items():
    print(f"{name:22} {memory:6.1f} MiB, {products:3} products, {barriers:2} barriers asked for")
loop, scan = seen["loop"], seen["scan"]
assert seen["loop, jax.checkpoint"][2] == LAYERS, "JAX asks for other barriers now"
assert seen["loop, jax.checkpoint"][:2] == loop[:2], "a loop saves memory now"
assert seen["scan, jax.checkpoint"][0] < scan[0] / 4, "a scan saves no memory now"
assert seen["scan, jax.checkpoint"][1] > scan[1]
PYTHON
