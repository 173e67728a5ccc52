"""A trained or converted Trans-VAE."""

from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from jaxreact import runs
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.latent import Gaussian
from jaxreact.systems.trans_vae.model import Reaction
from jaxreact.systems.trans_vae.speaker_encoder import Perceived


class LoadedTransVAE(Compiled):
    """The model's methods, compiled."""

    @cached_property
    def mean_face(self) -> np.ndarray:
        """(58,) float32: raw coefficients minus the model's.

        Raises UserError if the run does not know it (a conversion without `--mean-face`).
        """
        return runs.mean_face(self.content, self.directory)

    @cached_property
    def _react(self) -> Any:
        return self._jit(lambda model, video, audio, noise: model(video, audio, noise))

    @cached_property
    def _perceive(self) -> Any:
        return self._jit(
            lambda model, video, audio: model.speaker_behaviour_encoder.perceive(video, audio)
        )

    @cached_property
    def _window(self) -> Any:
        return self._jit(
            lambda model, perceived, face, number, noise: model.window(
                perceived, face, number, noise
            )
        )

    def react(
        self,
        video: UInt8[Given, "batch time height width 3"],
        audio: Float[Given, "batch time 78"],
        noise: Float[Given, "batch samples windows features"],
    ) -> Reaction:
        """As the model's `__call__`; a program is compiled for each length."""
        return self._react(jnp.asarray(video), jnp.asarray(audio), jnp.asarray(noise))

    def perceive(
        self,
        video: UInt8[Given, "batch time height width 3"],
        audio: Float[Given, "batch time 78"],
    ) -> Perceived:
        """As `SpeakerEncoder.perceive`."""
        return self._perceive(jnp.asarray(video), jnp.asarray(audio))

    def window(
        self,
        perceived: Perceived,
        face: Face,
        number: int | Int[Array, ""],
        noise: Float[Given, "batch samples features"],
    ) -> tuple[Face, Gaussian]:
        """As the model's `window`; a program is compiled for each size of the room."""
        return self._window(perceived, face, jnp.asarray(number), jnp.asarray(noise))


def load_trans_vae(directory: str | Path) -> LoadedTransVAE:
    """The model of a run or converted directory. Raises UserError if there is none."""
    return LoadedTransVAE(*runs.load_model(directory, TRANS_VAE), directory)


def latent_noise(
    key: Array, batch: int, samples: int, begin: int, end: int, features: int
) -> Float[Array, "batch samples windows features"]:
    """Standard normal noise of the windows from `begin` to before `end`.

    `key` is one key or one for each of the batch; a window's noise depends on it and on the
    window's number alone.
    """
    keys = key if key.ndim else jax.random.split(key, batch)
    if keys.shape != (batch,):
        raise ValueError(f"{keys.shape[0]} keys for {batch} speakers; give one key or one for each")

    def of_window(key: Array, number: Array) -> Array:
        return jax.random.normal(jax.random.fold_in(key, number), (samples, features))

    rows = jax.vmap(jax.vmap(of_window, (None, 0), 1), (0, None))
    return rows(keys, jnp.arange(begin, end))
