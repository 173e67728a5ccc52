"""What training minimises. Losses are float32 means over the whole (global) batch."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxreact.face import ROTATION
from jaxreact.systems.framewise.config import AFFECT, EXPRESSIONS, UNITS
from jaxreact.systems.framewise.model import Expected
from jaxreact.systems.framewise.residuals import parted
from jaxreact.training.codebook import Metrics


@dataclass(frozen=True)
class LossWeights:
    """Of the parts of the loss."""

    units: float = 1.0
    """Cross-entropy of the action units, nats."""
    affect: float = 3.0
    """Squared error of valence and arousal."""
    expressions: float = 0.3
    """Cross-entropy of the expressions, nats."""
    face: float = 0.3
    """Squared error of the coefficients, in units of their deviations."""
    rotation: float = 1.0
    """What rotation counts among them, against an expression's 1."""
    unrest: float = 0.1
    """Of how likely the coefficients' quick motion is, nats."""


def framewise_loss(
    expected: Expected,
    emotion: Float[Array, "batch time 25"],
    coeffs: Float[Array, "batch time 58"],
    std: Float[Array, "58"],
    weights: LossWeights,
) -> tuple[Float[Array, ""], Metrics]:
    """The loss against the recorded listener's emotion and mean-subtracted coefficients, and its
    parts; `std` are the coefficients' deviations."""
    emotion = emotion.astype(jnp.float32)
    there = emotion[..., UNITS]
    units = jnp.mean(jax.nn.softplus(expected.units) - there * expected.units)
    affect = jnp.mean(jnp.square(expected.affect - emotion[..., AFFECT]))
    shares = emotion[..., EXPRESSIONS]
    expressions = -jnp.mean(jnp.sum(shares * expected.expressions, axis=-1))
    counted = jnp.ones_like(std).at[ROTATION].set(weights.rotation)
    squares = jnp.square((expected.coeffs - coeffs.astype(jnp.float32)) / std)
    face = jnp.mean(squares * counted)
    left = jax.lax.stop_gradient(coeffs.astype(jnp.float32) - expected.coeffs)
    quick = parted(left)[1] / expected.unrest
    unrest = jnp.mean(jnp.log(expected.unrest / std) + jnp.square(quick) / 2)
    total = (
        weights.units * units
        + weights.affect * affect
        + weights.expressions * expressions
        + weights.face * face
        + weights.unrest * unrest
    )
    error = jnp.mean(jnp.square(expected.emotion - emotion))
    metrics = {
        "loss": total,
        "units": units,
        "affect": affect,
        "expressions": expressions,
        "face": face,
        "unrest": unrest,
        "emotion_error": error,
    }
    return total, metrics
