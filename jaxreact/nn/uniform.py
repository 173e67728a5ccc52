"""Linear layers that begin as torch's do: uniform, by the number of inputs."""

import jax
from flax import nnx

from jaxreact.nn.attention import Linear

kernel_init = nnx.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
"""Uniform within 1 / sqrt(inputs), also for convolutions."""


def uniform_linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> Linear:
    """A linear layer whose weights and biases begin uniform within 1 / sqrt(inputs)."""

    def bias_init(key: jax.Array, shape: tuple[int, ...], dtype: jax.typing.DTypeLike) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -(inputs**-0.5), inputs**-0.5)

    return Linear(inputs, outputs, kernel_init=kernel_init, bias_init=bias_init, rngs=rngs)
