"""A run directory of FIBER, small enough for tests."""

from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.variables import variables_of
from tests.weights import predictor, tokenizer

MEAN = np.linspace(0.1, 0.9, 58).astype(np.float32)


@pytest.fixture(scope="session")
def frozen_parts() -> FrozenParts:
    """Tokenizer (blocks of 8 frames) and encoder of `fiber_run`."""
    encoder = AudioEncoder(AudioEncoderConfig(conv_dim=(4,) * 6 + (512,)), rngs=nnx.Rngs(0))
    return FrozenParts(tokenizer("small_fsq", n_layer=1), encoder, MEAN)


@pytest.fixture(scope="session")
def fiber_run(tmp_path_factory, frozen_parts: FrozenParts) -> Path:
    """A predictor's run as training leaves it, 16 frames of context, patches of 8; not to be
    written to."""
    run = tmp_path_factory.mktemp("fiber") / "predictor"
    model = predictor("small", n_layer=1, codebook_size=36)
    variables = variables_of(model)
    runs.save_model(run, PREDICTOR, model.config, variables, parts=frozen_parts.fingerprints())
    frozen_parts.write(run)
    return run
