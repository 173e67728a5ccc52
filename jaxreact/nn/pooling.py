"""Fewer steps of a sequence."""

from functools import reduce

import jax
import jax.numpy as jnp


def pool(x: jax.Array, factor: int) -> jax.Array:
    """Maximum over each group of `factor` steps; for a mask: whether any of them is True.

    (batch, time, ...) -> (batch, time / factor, ...).
    """
    groups = x.reshape(x.shape[0], x.shape[1] // factor, factor, *x.shape[2:])
    # In pairs: the gradient of `jnp.max` divides by how many equal the maximum, which is none where
    # the compiler computes a group twice and rounds it differently.
    return reduce(jnp.maximum, (groups[:, :, place] for place in range(factor)))
