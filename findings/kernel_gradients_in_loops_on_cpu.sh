#!/usr/bin/env bash
# On a processor, the gradient of a convolution's kernel takes many times as long inside a loop (lax.scan,
# lax.map, fori_loop) as outside of one. XLA turns a convolution into the form that it has a fast program
# for in the entry computation only; in a loop's body, what autodiff makes of it, with frames in the place
# of channels, is computed by a generic loop nest. Written in that form by hand (transposed operands, plain
# NHWC and HWIO), the same sum is as fast inside a loop as outside.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2
cat >"$folder/program.py" <<'PYTHON'
import time

import jax
import jax.numpy as jnp

FRAMES, SIDE, CHANNELS = 32, 28, 64
key = jax.random.key(0)
pictures = jax.random.normal(key, (FRAMES, SIDE, SIDE, CHANNELS))
weights = jax.random.normal(key, (FRAMES, SIDE, SIDE, CHANNELS))
kernel = jnp.zeros((7, 7, CHANNELS, CHANNELS))


def convolved(x, k):
    order = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, k, (1, 1), ((3, 3), (3, 3)), dimension_numbers=order)


def by_autodiff(x, g):
    return jax.linear_transpose(lambda k: convolved(x, k), kernel)(g)[0]


def by_hand(x, g):
    return convolved(x.transpose(3, 1, 2, 0), g.transpose(1, 2, 0, 3)).transpose(1, 2, 0, 3)


def in_a_loop(gradient):
    return lambda x, g: jax.lax.map(lambda xg: gradient(*xg), (x[None], g[None]))[0]


def seconds(function):
    compiled = jax.jit(function).lower(pictures, weights).compile()
    made, best = compiled(pictures, weights).block_until_ready(), float("inf")
    for _ in range(2):
        begin = time.perf_counter()
        compiled(pictures, weights).block_until_ready()
        best = min(best, time.perf_counter() - begin)
    return made, best


expected, outside = seconds(by_autodiff)
same, inside = seconds(in_a_loop(by_autodiff))
other, written = seconds(in_a_loop(by_hand))
for made in (same, other):
    assert jnp.abs(made - expected).max() < 1e-4 * jnp.abs(expected).max()
print("jax", jax.__version__)
print("expected: a loop's body is as fast as the same outside of it")
print(f"seen: outside {outside:.3f} s, inside {inside:.3f} s, inside as written by hand {written:.3f} s")
assert inside > 5 * outside and inside > 5 * written
PYTHON
JAX_PLATFORMS=cpu "$folder/venv/bin/python" "$folder/program.py"
