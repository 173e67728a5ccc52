"""Small systems that can stream, and somebody who speaks."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import numpy as np
from flax import nnx

from jaxreact.audio_features.load import Encoder
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.streaming.outputs import Reaction
from jaxreact.systems.belfusion.loaded import EmotionCoder, ReactionSampler
from jaxreact.systems.belfusion.system import OnlineBelfusion
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.systems.fiber.system import Fiber
from jaxreact.systems.framewise.loaded_model import LoadedFramewise
from jaxreact.systems.framewise.system import FramewiseSystem
from jaxreact.systems.system import OnlineSystem, Speaker
from tests.systems.belfusion.weights import SMALL_DENOISER, denoiser, vae
from tests.systems.framewise.models import small_model
from tests.weights import predictor, tokenizer

MEAN = np.linspace(0.1, 0.9, 58).astype(np.float32)
CONTENT = {"mean_face": MEAN.tolist()}
KEY = jax.random.key(3)
SMALL_ENCODER = AudioEncoderConfig(conv_dim=(4,) * 6 + (512,))


@cache
def fiber(**options: Any) -> Fiber:
    """Blocks and patches of 8 frames, windows of 16."""
    model = AudioEncoder(SMALL_ENCODER, rngs=nnx.Rngs(0))
    return Fiber(
        Tokenizer(tokenizer("small_fsq", n_layer=1), CONTENT, "tokenizer"),
        Predictor(predictor("small", n_layer=1, codebook_size=36, **options), {}, "predictor"),
        Encoder(model, {}, "encoder"),
    )


@cache
def framewise() -> FramewiseSystem:
    return FramewiseSystem(LoadedFramewise(small_model(), CONTENT, "framewise"))


@cache
def belfusion() -> OnlineBelfusion:
    """Windows of 5 frames."""
    return OnlineBelfusion(
        EmotionCoder(vae(), CONTENT, "vae"),
        ReactionSampler(denoiser(SMALL_DENOISER, online=True), {}, "belfusion"),
    )


@dataclass(frozen=True)
class Person:
    """Somebody who moves and speaks, as small systems may need it."""

    coeffs: np.ndarray
    sound: np.ndarray
    emotion: np.ndarray

    @property
    def whole(self) -> Speaker:
        return Speaker(self.coeffs[None], self.sound[None], self.emotion[None])

    def part(self, begin: int, end: int) -> dict[str, Any]:
        """What is fed of some frames."""
        return {
            "audio": self.sound[begin * 640 : end * 640],
            "coeffs": self.coeffs[begin:end],
            "emotion": self.emotion[begin:end],
        }


def person(frames: int, seed: int = 0) -> Person:
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(frames, 58)) / 20
    return Person(
        (MEAN + steps.cumsum(axis=0)).astype(np.float32),
        (rng.normal(size=frames * 640) / 5).astype(np.float32),
        rng.uniform(0, 1, (frames, 25)).astype(np.float32),
    )


def answer(
    system: OnlineSystem, who: Person, samples: int = 1, **options: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and emotion (samples, frames, ...) of the causal answer to all of somebody."""
    given = {"key": KEY, **options}
    made = system.react(who.whole, samples, causal=True, **given)
    return np.asarray(made.coeffs)[0], np.asarray(made.emotion)[0]


def joined(reactions: list[Reaction]) -> tuple[np.ndarray, np.ndarray]:
    """The same of a stream."""
    coeffs, emotion = (
        np.stack([getattr(each, part) for each in reactions], axis=-2)
        for part in ("coeffs", "emotion")
    )
    return coeffs, emotion
