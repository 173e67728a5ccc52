"""A converted audio encoder."""

from functools import cached_property
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxreact import runs
from jaxreact.audio_features.sliding import Sound, listen
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.errors import UserError
from jaxreact.nn.compiled import Compiled, Given

AUDIO_ENCODER = runs.Kind("audio_encoder", AudioEncoderConfig, AudioEncoder)


class Encoder(Compiled):
    """Audio -> wav2vec2 features."""

    @cached_property
    def _features(self) -> Any:
        return self._jit(lambda model, waveform: model(waveform))

    def __call__(self, waveform: Float[Given, "batch samples"]) -> Float[Array, "batch frames 512"]:
        """Features of 16 kHz waveforms, 50 a second; each waveform is normalised first."""
        return self._features(jnp.asarray(waveform, jnp.float32))

    @cached_property
    def _listen(self) -> Any:
        return self._jit(listen)

    def listen(
        self, sound: Sound, waveform: Float[Given, "streams samples"]
    ) -> tuple[Sound, Float[Array, "streams frames 512"]]:
        """As `sliding.listen`: features of the next sound of some streams."""
        return self._listen(sound, jnp.asarray(waveform, jnp.float32))


def load_audio_encoder(directory: str | Path) -> Encoder:
    """The audio encoder of a converted directory, or the one inside a predictor's directory."""
    directory = Path(directory)
    inside = directory / "audio_encoder"
    if inside.is_dir():
        directory = inside
    elif not (directory / "config.json").exists():
        raise UserError(f"{directory}: no audio encoder here; convert one with convert_weights.py")
    return Encoder(*runs.load_model(directory, AUDIO_ENCODER), directory)
