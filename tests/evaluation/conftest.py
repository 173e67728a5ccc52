"""Models small enough to generate in a second."""

from pathlib import Path
from typing import Any

import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.models.audio_encoder import AudioEncoder, AudioEncoderConfig
from jaxreact.reaction import Models, load_models
from tests.weights import predictor, tokenizer

MEAN = [0.25] * 58


@pytest.fixture(scope="session")
def model_runs(tmp_path_factory) -> Path:
    """Run directories of golden models: `tokenizer/`, and `predictor/` with its encoder."""
    root = tmp_path_factory.mktemp("models")

    def save(name: str, kind: str, model: Any, **extra: Any) -> None:
        variables = nnx.to_pure_dict(nnx.split(model)[1])
        runs.save_model(root / name, kind, model.config, variables, **extra)

    save("tokenizer", "tokenizer", tokenizer("small_fsq"), mean_face=MEAN)
    save("predictor", "predictor", predictor("small"))
    encoder = AudioEncoder(AudioEncoderConfig(conv_dim=(4,) * 6 + (512,)), rngs=nnx.Rngs(0))
    save("predictor/audio_encoder", "audio_encoder", encoder)
    return root


@pytest.fixture(scope="session")
def models(model_runs) -> Models:
    return load_models(model_runs / "tokenizer", model_runs / "predictor")
