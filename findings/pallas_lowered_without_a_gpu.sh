#!/usr/bin/env bash
# Everything else lowers for "cuda" on a machine without a GPU, so that one can look at what a GPU's
# compiler would get. A Pallas kernel (Triton) did so too with JAX 0.10.2; JAX 0.12 asks which GPU it
# is and stops, though the platform is named. It takes the answer from the mesh alone: an
# `AbstractMesh` without any axis, whose abstract device names a GPU.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.py" <<'PYTHON'
import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jax.sharding import AbstractDevice, AbstractMesh, use_abstract_mesh


def double(x_ref, y_ref):
    y_ref[...] = 2 * x_ref[...]


def kernel(x):
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return pl.pallas_call(double, out_shape=shape, compiler_params=triton.CompilerParams())(x)


def lowered(function):
    try:
        traced = jax.jit(function).trace(jnp.ones(64))
        text = traced.lower(lowering_platforms=("cuda",)).as_text()
    except RuntimeError as error:
        return "No supported GPU devices" in str(error) and "refused"
    return "a kernel" if "triton" in text else "lowered"


print("jax", jax.__version__, jax.default_backend())
plain, alone = lowered(lambda x: 2 * x), lowered(kernel)
device = AbstractDevice(device_kind="NVIDIA H100 80GB HBM3", num_cores=132, platform="gpu")
with use_abstract_mesh(AbstractMesh((), (), abstract_device=device)):
    told = lowered(kernel)
print(f"  plain: {plain}; Pallas: {alone}; Pallas, told which GPU: {told}")
old = jax.__version__ == "0.10.2"
assert (plain, alone, told) == ("lowered", "a kernel" if old else "refused", "a kernel")
PYTHON
echo "expected: lowering for a platform that is named needs none of its devices"
for version in 0.10.2 0.12.0.1; do
    "${PYTHON:-python3.12}" -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "jax==$version"
    "$folder/$version/bin/python" -W ignore "$folder/program.py"
done
echo "seen: since 0.12 a Pallas kernel needs to be told of a device"
