"""What models compute in. Parameters, their moments and the updates are float32 in any case."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import jax
import jax.numpy as jnp

Tree = Any

Precision = Literal["float32", "tensorfloat32", "bfloat16"]
"""What matrix products and convolutions compute in.

- float32: all digits, on every device.
- tensorfloat32: float32, whose products a GPU of NVIDIA's rounds to ten binary digits in return for
  several times the speed; a processor has no such thing and computes float32.
- bfloat16: weights and what passes between layers in half the memory, seven binary digits.
"""

_ALWAYS_FLOAT32 = ("ln_", "layer_norm", "batch_norm", "quantize", "statistics")
"""Norms, the quantiser and statistics of latents stay as they are, also where the rest is bfloat16:
a code is a rounding decision. So do softmax and losses, by their own code."""


def computed_in(params: Tree, precision: Precision) -> Tree:
    """Parameters as the forward pass takes them; modules compute in the type of their weights."""
    if precision != "bfloat16":
        return params

    def cast(path: tuple[Any, ...], leaf: jax.Array) -> jax.Array:
        names = [str(getattr(entry, "key", entry)) for entry in path]
        kept = any(name.startswith(_ALWAYS_FLOAT32) for name in names)
        return leaf if kept else leaf.astype(jnp.bfloat16)

    return jax.tree_util.tree_map_with_path(cast, params)


def products_in(precision: Precision) -> AbstractContextManager[Any]:
    """While open, products of float32 arrays are traced so."""
    return jax.default_matmul_precision("float32") if precision == "float32" else nullcontext()
