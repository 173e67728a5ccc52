"""What tests of all stages train on."""

from pathlib import Path

import pytest

from jaxreact.simulation import SimulateConfig, simulate


@pytest.fixture(scope="session")
def seen(tmp_path_factory) -> Path:
    """Four simulated conversations of five seconds with small pictures: data for any stage."""
    root = tmp_path_factory.mktemp("seen") / "data"
    simulate(SimulateConfig(root, split=(2, 1, 1), seconds=5.0, workers=1, pictures=32))
    return root
