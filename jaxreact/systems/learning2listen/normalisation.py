"""Mean and deviation of channels, which the models' inputs and outputs are measured by."""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.quantizers import Statistics

_LEAST = 1e-10
"""What the original adds to deviations."""


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


def original_statistics(
    clips: Float[np.ndarray, "clips time channels"],
) -> tuple[Float[np.ndarray, "channels"], Float[np.ndarray, "channels"]]:
    """Mean and what the original divides by: the deviation over clips of each clip's own deviation
    (behaviour L1), which is much less than the channel's, and next to nothing for one clip."""
    return clips.mean(1).mean(0), clips.std(1).std(0) + _LEAST


def plain_statistics(
    clips: Float[np.ndarray, "clips time channels"], least: float = 1e-3
) -> tuple[Float[np.ndarray, "channels"], Float[np.ndarray, "channels"]]:
    """Mean and deviation of all frames; no deviation below `least`, for channels that hardly
    move."""
    wide = clips.astype(np.float64)
    deviation = np.maximum(wide.std((0, 1)), least)
    return wide.mean((0, 1)).astype(np.float32), deviation.astype(np.float32)
