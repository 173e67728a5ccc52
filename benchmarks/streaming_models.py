"""Systems of the sizes that streams are measured with, of random weights."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jaxreact import OnlineSystem, runs
from jaxreact.audio_features.load import AUDIO_ENCODER, Encoder
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.system import Fiber
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.loaded_model import LoadedFramewise
from jaxreact.systems.framewise.presets import PRESETS
from jaxreact.systems.framewise.system import FramewiseSystem

CONTENT = {"mean_face": np.zeros(58).tolist()}
PATHS = {"data": "data", "out": "out"}


def fiber(
    tokenizer: FaceTokenizerConfig, predictor: PredictorConfig, encoder: AudioEncoderConfig
) -> Fiber:
    return Fiber(
        Tokenizer(runs.new_model(TOKENIZER, tokenizer, 0), CONTENT, "tokenizer"),
        Predictor(runs.new_model(PREDICTOR, predictor, 0), {}, "predictor"),
        Encoder(runs.new_model(AUDIO_ENCODER, encoder, 0), {}, "encoder"),
    )


def released() -> Fiber:
    """The released sizes, wav2vec2-base's convolutions included."""
    return fiber(FaceTokenizerConfig(), PredictorConfig(codebook_size=1000), AudioEncoderConfig())


def demo_fiber() -> Fiber:
    """Of the preset `demo`."""
    tokenizer = TOKENIZER_PRESETS["demo"](**PATHS)
    predictor = PREDICTOR_PRESETS["demo"](**PATHS, tokenizer="tokenizer")
    assert predictor.untrained_encoder is not None
    known = replace(predictor.model, codebook_size=tokenizer.model.codebook_size)
    return fiber(tokenizer.model, known, predictor.untrained_encoder)


def demo_framewise() -> FramewiseSystem:
    """Of the preset `demo`."""
    config = PRESETS["demo"](**PATHS).model
    return FramewiseSystem(LoadedFramewise(runs.new_model(FRAMEWISE, config, 0), CONTENT, "run"))


SYSTEMS: dict[str, Callable[[], OnlineSystem]] = {
    "fiber, released sizes": released,
    "fiber, demo sizes": demo_fiber,
    "framewise, demo sizes": demo_framewise,
}
