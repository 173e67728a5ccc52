"""BeLFusion's two models, trained or converted, as compiled functions."""

from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxreact import runs
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.systems.belfusion.config import Preprocessing
from jaxreact.systems.belfusion.denoiser import Denoiser
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.latent_space import decode, encode
from jaxreact.systems.belfusion.vae import EmotionVAE


class EmotionCoder(Compiled):
    """Windows of emotion <-> latents, and the faces of an emotion."""

    @cached_property
    def mean_face(self) -> np.ndarray | None:
        """(58,) float32: raw coefficients minus mean-subtracted ones; None where the run does not
        know it. Raises UserError where what it holds is none."""
        if self.content.get("mean_face") is None:
            return None
        return runs.mean_face(self.content, self.directory)

    @cached_property
    def _encode(self) -> Any:
        return self._jit(_encode_clips, static_argnames="preprocessing")

    @cached_property
    def _decode(self) -> Any:
        return self._jit(_decode_clips, static_argnames="preprocessing")

    def encode(
        self, windows: Float[Given, "batch windows frames 25"], preprocessing: Preprocessing
    ) -> Float[Array, "batch windows latent"]:
        """The latent of each window."""
        return self._encode(jnp.asarray(windows, jnp.float32), preprocessing=preprocessing)

    def decode(
        self, latents: Float[Array, "batch samples windows latent"], preprocessing: Preprocessing
    ) -> tuple[Float[Array, "batch samples time 58"], Float[Array, "batch samples time 25"]]:
        """Mean-subtracted coefficients and emotion, the windows one after the other."""
        return self._decode(latents, preprocessing=preprocessing)


class ReactionSampler(Compiled):
    """Latents of listeners, given those of speakers and noise."""

    @cached_property
    def _sample(self) -> Any:
        return self._jit(_sample_clips)

    def sample(
        self,
        condition: Float[Array, "batch windows latent"],
        noise: Float[Array, "batch samples windows latent"],
    ) -> Float[Array, "batch samples windows latent"]:
        """Each window by itself; all samples of a window answer the same latent."""
        return self._sample(condition, noise)


def _encode_clips(model: EmotionVAE, windows: jax.Array, preprocessing: Preprocessing) -> jax.Array:
    latents = encode(model, windows.reshape(-1, *windows.shape[2:]), preprocessing)
    return latents.reshape(*windows.shape[:2], -1)


def _decode_clips(
    model: EmotionVAE, latents: jax.Array, preprocessing: Preprocessing
) -> tuple[jax.Array, jax.Array]:
    batch, samples, windows, width = latents.shape
    emotion = decode(model, latents.reshape(-1, width), preprocessing)
    emotion = emotion.reshape(batch, samples, windows * emotion.shape[1], -1)
    return model.coeffs_of(emotion), emotion


def _sample_clips(model: Denoiser, condition: jax.Array, noise: jax.Array) -> jax.Array:
    return model.sample(condition[:, None], noise)


def load_coder(directory: str | Path) -> EmotionCoder:
    """The VAE of a run or converted directory. Raises UserError if there is none."""
    return EmotionCoder(*runs.load_model(directory, VAE), directory)


def load_sampler(directory: str | Path) -> ReactionSampler:
    """The denoiser of a run or converted directory. Raises UserError if there is none."""
    return ReactionSampler(*runs.load_model(directory, DENOISER), directory)
