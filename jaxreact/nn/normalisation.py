"""Mean and deviation of channels, which a model's inputs and outputs are measured by."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.quantizers import Statistics


class Normalisation(nnx.Module):
    """Of each channel; a new one changes nothing."""

    def __init__(self, channels: int):
        self.mean = Statistics(jnp.zeros(channels))
        self.std = Statistics(jnp.ones(channels))

    def __call__(self, x: Float[Array, "*batch channels"]) -> Float[Array, "*batch channels"]:
        """float32, about zero and of about unit size."""
        return (x.astype(jnp.float32) - self.mean[...]) / self.std[...]

    def inverse(self, x: Float[Array, "*batch channels"]) -> Float[Array, "*batch channels"]:
        """The way back."""
        return x.astype(jnp.float32) * self.std[...] + self.mean[...]
