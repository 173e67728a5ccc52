"""What tests of several modules share."""

from pathlib import Path

import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.rendering.pirender.load import FACE_GENERATOR
from jaxreact.simulation import SimulateConfig, simulate
from tests.rendering.pirender.weights import SMALL, SMALL_CONFIG, generator, tensors


@pytest.fixture(scope="session")
def conversations(tmp_path_factory) -> Path:
    """A data set in the REACT2024 layout: four simulated conversations of five seconds."""
    root = tmp_path_factory.mktemp("conversations") / "data"
    simulate(SimulateConfig(root, split=(2, 1, 1), seconds=5.0, workers=1))
    return root


@pytest.fixture(scope="session")
def pirender(tmp_path_factory) -> Path:
    """The run directory of a small face generator with random weights."""
    model = generator(SMALL_CONFIG, tensors(**SMALL))
    path = tmp_path_factory.mktemp("generator") / "pirender"
    runs.save_model(path, FACE_GENERATOR, model.config, nnx.to_pure_dict(nnx.split(model)[1]))
    return path
