"""The space in which the diffusion lives: the VAE encoder's last states, scaled.

The original's encoder leaves out the layer of the mean, and its decoder takes the state where it
was trained on the mean (B12); released weights are made for that.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxreact.systems.belfusion.config import Preprocessing
from jaxreact.systems.belfusion.vae import EmotionVAE


def encode(
    vae: EmotionVAE, windows: Float[Array, "windows frames 25"], preprocessing: Preprocessing
) -> Float[Array, "windows latent"]:
    """Latents of windows, float32; "normalize": in [-1, 1] for the windows that the statistics
    know, and not far outside for others."""
    hidden = vae.hidden(windows).astype(jnp.float32)
    known = vae.statistics
    if preprocessing == "normalize":
        low, high = known.min[...], known.max[...]
        return 2 * (hidden - low) / _or_one(high - low) - 1
    if preprocessing == "standardize":
        return (hidden - known.mean[...]) / _or_one(jnp.sqrt(known.var[...]))
    return hidden


def decode(
    vae: EmotionVAE, latents: Float[Array, "windows latent"], preprocessing: Preprocessing
) -> Float[Array, "windows frames 25"]:
    """The emotion of latents."""
    known = vae.statistics
    if preprocessing == "normalize":
        low, high = known.min[...], known.max[...]
        latents = (latents + 1) * (high - low) / 2 + low
    elif preprocessing == "standardize":
        latents = latents * jnp.sqrt(known.var[...]) + known.mean[...]
    return vae.decode(latents)


def _or_one(spread: jax.Array) -> jax.Array:
    """1 for a dimension that never changes, which cannot be divided by (B19)."""
    return jnp.where(spread > 0, spread, 1)
