"""Layers that start as torch's do: weights and biases uniform within 1 / sqrt(inputs)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from jaxreact.nn.attention import Linear

kernel_init = nnx.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
"""Uniform within 1 / sqrt(inputs), also for convolutions."""


def within(bound: float) -> Callable[..., jax.Array]:
    """An initialiser: uniform between -bound and bound."""

    def initialise(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32, **_: object):
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return initialise


def uniform_linear(
    inputs: int, outputs: int, rngs: nnx.Rngs, bound: float | None = None, bias: bool = True
) -> Linear:
    """A linear layer; `bound` is 1 / sqrt(inputs) unless another is given."""
    start = within(inputs**-0.5 if bound is None else bound)
    return Linear(inputs, outputs, use_bias=bias, kernel_init=start, bias_init=start, rngs=rngs)
