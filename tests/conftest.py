"""What tests of several modules share."""

from pathlib import Path

import pytest

from jaxreact.data.simulate import SimulateConfig, simulate


@pytest.fixture(scope="session")
def conversations(tmp_path_factory) -> Path:
    """A data set in the REACT2024 layout: four simulated conversations of five seconds."""
    root = tmp_path_factory.mktemp("conversations") / "data"
    simulate(SimulateConfig(root, split=(2, 1, 1), seconds=5.0, workers=1))
    return root
