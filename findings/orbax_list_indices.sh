#!/usr/bin/env bash
# Orbax, restored without a target, gives the indices of a list back as strings; `nnx.merge` then
# takes the layers in the order of the strings: 0, 1, 10, 11, 2, ... No error, since all layers have
# one shape; up to ten layers all is well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    orbax-checkpoint==0.12.8 jax==0.10.2 flax==0.12.8
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from flax import nnx

LAYERS = 12


class Model(nnx.Module):
    """Layer i holds the number i."""

    def __init__(self):
        self.layers = nnx.List([nnx.Param(jnp.float32(i)) for i in range(LAYERS)])


def numbers(variables):
    return [int(layer[...]) for layer in nnx.merge(graph, variables).layers]


graph, state = nnx.split(Model())
saved = nnx.to_pure_dict(state)
path = Path(sys.argv[1]) / "checkpoint"
with ocp.StandardCheckpointer() as checkpointer:
    checkpointer.save(path, saved)
    checkpointer.wait_until_finished()
    plain = checkpointer.restore(path)
    target = jax.tree.map(ocp.utils.to_shape_dtype_struct, saved)
    with_target = checkpointer.restore(path, target)

print(*(f"{name} {version(name)}" for name in ("orbax-checkpoint", "flax", "jax")), sep=", ")
print("expected: the restored model has its layers where they were")
print("saved                   ", numbers(saved))
print("restored into a target  ", numbers(with_target))
print("restored without one    ", numbers(plain), "keys", list(plain["layers"])[:3])
assert numbers(saved) == numbers(with_target) == list(range(LAYERS))
assert numbers(plain) == [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9], "this has changed"
PYTHON
