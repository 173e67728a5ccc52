"""The rate of learning that both of the original's stages follow (Vaswani et al. 2017, eq. 3)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax


def learning_rate(base: float, width: int, warmup: int) -> Callable[[Any], jax.Array]:
    """Rate of each step, counted from 0: grows evenly over `warmup` steps, then falls as one over
    the root."""

    def rate(step: Any) -> jax.Array:
        number = jnp.asarray(step, jnp.float32) + 1
        return base * width**-0.5 * jnp.minimum(number**-0.5, number * warmup**-1.5)

    return rate


def original_optimizer(
    rate: Callable[[Any], jax.Array], weight_decay: float
) -> optax.GradientTransformation:
    """AdamW of all parameters, biases and norms too; the original's predictor has no decay."""
    return optax.adamw(rate, b1=0.9, b2=0.98, eps=1e-9, weight_decay=weight_decay)
