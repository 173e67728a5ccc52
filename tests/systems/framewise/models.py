"""Small frame-wise listeners."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact.systems.framewise.config import FramewiseConfig
from jaxreact.systems.framewise.model import Framewise
from jaxreact.systems.framewise.residuals import CHANNELS, Residuals

SIZES: dict[str, Any] = {"features": 8, "stacks": 2, "dilations": (1, 2), "smoothing": 3}
PAST = 2 * 2 * 3 + 2


def small_model(**changes: Any) -> Framewise:
    """With departures of a known kind."""
    model = Framewise(FramewiseConfig(**{**SIZES, **changes}), rngs=nnx.Rngs(0))
    fill(model.statistics.residuals)
    return model


def fill(residuals: Residuals, memory: float = 0.9) -> None:
    """Units of deviation 1, all else 0.1; neighbouring units go together; quick motion
    of one unit of unrest."""
    mixing = np.eye(CHANNELS, dtype=np.float32) * 0.1
    mixing[:15, :15] = np.eye(15)
    mixing[1, :2] = 0.8, 0.6
    residuals.mixing[...], residuals.memory[...] = jnp.asarray(mixing), jnp.float32(memory)
    residuals.quick_mixing[...] = jnp.eye(58)
    residuals.quick_memory[...] = jnp.stack([jnp.full(58, 0.5), jnp.full(58, -0.2)])
