"""What training minimises. Losses are float32 means over the whole (global) batch."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxreact.face import EXPRESSION
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.latent import Gaussian
from jaxreact.systems.trans_vae.model import Reaction
from jaxreact.training.codebook import Metrics

POSE = slice(EXPRESSION.stop, None)
POSE_WEIGHT = 10.0
"""Of the error of rotation and translation against that of the expression."""
_ALIKE = 100.0
"""Squared distance over all frames and channels at which two reactions are e times less alike."""


@dataclass(frozen=True)
class LossWeights:
    """What the parts of the loss are weighted by; the defaults are the published command's."""

    kl: float = 1e-5
    diversity: float = 10.0


def reconstruction(face: Face, target: Face) -> Float[Array, ""]:
    """Mean squared errors of emotion, of expression, and ten times that of pose."""

    def error(ours: jax.Array, theirs: jax.Array) -> jax.Array:
        return jnp.mean(jnp.square(ours.astype(jnp.float32) - theirs.astype(jnp.float32)))

    expression = error(face.coeffs[..., EXPRESSION], target.coeffs[..., EXPRESSION])
    pose = error(face.coeffs[..., POSE], target.coeffs[..., POSE])
    return error(face.emotion, target.emotion) + expression + POSE_WEIGHT * pose


def divergence(latent: Gaussian) -> Float[Array, ""]:
    """From the standard normal distribution, the mean over features, windows and clips (nats)."""
    variance = jnp.square(latent.deviation)
    return jnp.mean((variance + jnp.square(latent.mean) - 1.0 - jnp.log(variance)) / 2.0)


def likeness(face: Face, other: Face) -> Float[Array, ""]:
    """How alike two samples of a reaction are, in [0, 2]: 2 where they are the same.

    It is near 0, and pulls no more, once they differ by about 20 in norm (behaviour B26).
    """

    def alike(a: jax.Array, b: jax.Array) -> jax.Array:
        distance = jnp.square(a - b).sum((-2, -1))  # over frames and channels
        return jnp.mean(jnp.exp(-distance / _ALIKE))

    return alike(face.coeffs, other.coeffs) + alike(face.emotion, other.emotion)


def trans_vae_loss(
    reaction: Reaction, second: Face, target: Face, weights: LossWeights
) -> tuple[Float[Array, ""], Metrics]:
    """The loss, and its parts: "reconstruction", "divergence", "likeness".

    `second` is another sample of the same reactions, of other noise and dropout, through which no
    gradient goes; `target` the recorded listener, mean-subtracted, rows as the reaction's.
    """
    parts = {
        "reconstruction": reconstruction(reaction.face, target),
        "divergence": divergence(reaction.latent),
        "likeness": likeness(reaction.face, jax.lax.stop_gradient(second)),
    }
    total = (
        parts["reconstruction"]
        + weights.kl * parts["divergence"]
        + weights.diversity * parts["likeness"]
    )
    return total, parts
