#!/usr/bin/env bash
# Four stacks of layers of one shape, each in a `jax.lax.scan` whose body closes over what it needs:
# JAX lowers four bodies, forwards and backwards, though they are equal word for word. Where the loop
# is called through one `jax.jit` function of the same arguments, it is traced, differentiated,
# transposed and lowered once, and the four are calls of it: a quarter of the program that XLA gets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2
cat >"$folder/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp

WEIGHTS = jnp.ones((4, 8, 16, 16))  # stacks, layers, inputs, outputs
X = jnp.ones((2, 16))


def loop(weights, x, scale):
    def body(x, w):
        return x + jnp.tanh(x @ w) * scale, None

    return jax.lax.scan(body, x, weights)[0]


def products(loop):
    def loss(weights, x):
        for stack in range(4):
            x = loop(weights[stack], x, 0.5)
        return x.sum()

    text = jax.jit(jax.grad(loss, (0, 1))).trace(WEIGHTS, X).lower().as_text()
    return text.count("stablehlo.dot_general")


print("jax", jax.__version__)
print("products in the program of a gradient through four equal stacks")
apart, shared = products(loop), products(jax.jit(loop, static_argnums=2))
print(f"  each loop by itself: {apart}; through one jit function: {shared}")
assert (apart, shared) == (12, 3), (apart, shared)
PYTHON
echo "expected: equal loops are lowered once"
"$folder/venv/bin/python" "$folder/program.py"
echo "seen: once only where the loop is a jit function of its own"
