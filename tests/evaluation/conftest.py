"""Models small enough for tests: pretended ones that need no compilation, and real ones."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.systems.fiber.system import Fiber
from jaxreact.variables import variables_of
from tests.checking import unchecked
from tests.kinds import KINDS
from tests.weights import predictor, tokenizer

MEAN = np.linspace(0.1, 0.9, 58).astype(np.float32)


class Pretended:
    """All three models: like them, but nothing is learned and nothing compiled.

    A listener's emotion depends on the speaker's face and sound at that moment and on the key.
    """

    config = SimpleNamespace(block_size=32, patch_size=32, traits=False)
    block_size = 32
    codebook_size = 1000
    mean_face = MEAN

    def __init__(self, name: str):
        self.name = name

    def in_precision(self, precision: str) -> "Pretended":
        return self

    def fingerprint(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()[:16]

    def __call__(self, waveform: np.ndarray) -> jax.Array:
        """Features: the loudness of each 20 ms."""
        loudness = abs(jnp.asarray(waveform)).reshape(len(waveform), -1, 320).mean(axis=2)
        return jnp.broadcast_to(loudness[:, 1:, None], (len(waveform), loudness.shape[1] - 1, 512))

    def codes_of(self, coeffs: np.ndarray) -> jax.Array:
        return jnp.round(1000 * (jnp.asarray(coeffs) - MEAN)[..., 24]).astype(int) % 1000

    def generate(self, audio_features, speaker_codes, *, num_samples, key, **sampling) -> jax.Array:
        time = speaker_codes.shape[1]
        heard = jnp.round(1e5 * audio_features[:, ::2, 0]).astype(int)[:, :time]
        draw = jax.vmap(lambda one: jax.random.randint(one, (num_samples, time), 0, 10**6))
        return draw(key) + (speaker_codes + heard)[:, None]

    def decode(self, codes: jax.Array) -> tuple[jax.Array, jax.Array]:
        value = codes[..., None] / 1e6
        return value * jnp.linspace(0, 1, 58), value * jnp.linspace(1, 2, 25)


@pytest.fixture(scope="session")
def system() -> Fiber:
    parts = (Pretended(name) for name in ("tokenizer", "predictor", "audio encoder"))
    with unchecked():
        return Fiber(*parts)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="session")
def model_runs(tmp_path_factory) -> Path:
    """Run directories of real models: `tokenizer/`, and `predictor/` with its encoder."""
    root = tmp_path_factory.mktemp("models")

    def save(name: str, kind: str, model: Any, **extra: Any) -> None:
        variables = variables_of(model)
        runs.save_model(root / name, KINDS[kind], model.config, variables, **extra)

    save("tokenizer", "tokenizer", tokenizer("small_fsq", n_layer=1), mean_face=MEAN.tolist())
    save("predictor", "predictor", predictor("small", n_layer=1))
    encoder = AudioEncoder(AudioEncoderConfig(conv_dim=(4,) * 6 + (512,)), rngs=nnx.Rngs(0))
    save("predictor/audio_encoder", "audio_encoder", encoder)
    return root
