#!/usr/bin/env bash
# The gradient of `jnp.max` shares what comes back among the entries that equal the maximum, and
# divides by how many they are. Compiled without XLA's optimizer (jax_disable_most_optimizations,
# which makes tests compile quickly), the maximum's operand is computed a second time for that
# comparison, and rounded otherwise: nothing equals the maximum, and zero is divided by zero. Behind
# a batch norm, as in a network that halves a sequence, the whole gradient is NaN, on finite input,
# while the value is right. The same maximum taken in pairs by `jnp.maximum` has a gradient.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2 numpy==2.3.4
cat >"$folder/pooled.py" <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np

random = np.random.default_rng(0)
x, scale = (jnp.asarray(random.normal(size=s).astype(np.float32)) for s in ((4, 160, 24), (24,)))


def pairs(x, scale):
    """Normalised by the batch, in pairs of neighbouring steps."""
    normal = (x - x.mean((0, 1))) * scale * jax.lax.rsqrt(x.var((0, 1)) + 1e-5)
    return normal.reshape(4, 80, 2, 24)


def by_max(x, scale):
    return (jnp.max(pairs(x, scale), axis=2) ** 2).sum()


def by_maximum(x, scale):
    both = pairs(x, scale)
    return (jnp.maximum(both[:, :, 0], both[:, :, 1]) ** 2).sum()


def missing(function, unoptimized):
    jax.config.update("jax_disable_most_optimizations", unoptimized)
    jax.clear_caches()
    value, gradient = jax.jit(jax.value_and_grad(function))(x, scale)
    assert jnp.isfinite(value)
    return int(jnp.isnan(gradient).sum())


print(f"jax {jax.__version__}, {x.size} numbers; of the gradient are NaN")
print("expected: none, however it is compiled")
found = {
    (function.__name__, unoptimized): missing(function, unoptimized)
    for function in (by_max, by_maximum)
    for unoptimized in (False, True)
}
for (name, unoptimized), count in found.items():
    print(f"{name:12s}{'without the optimizer' if unoptimized else 'as usual':24s}{count}")
assert found["by_max", True] > 0, "this has changed"
assert [found["by_max", False], *(found["by_maximum", x] for x in (False, True))] == [0, 0, 0]
PYTHON
JAX_PLATFORMS=cpu JAX_ENABLE_COMPILATION_CACHE=0 "$folder/venv/bin/python" "$folder/pooled.py"
