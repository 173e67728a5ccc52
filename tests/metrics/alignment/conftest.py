"""The alignment network of the goldens as a run directory, which its own conversion made."""

from pathlib import Path

import pytest
from safetensors.numpy import save_file

from jaxreact.metrics.alignment.conversion import convert_alignment
from jaxreact.metrics.alignment.load import Alignment, load_alignment
from tests.metrics.alignment import weights


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Of the small network."""
    folder = tmp_path_factory.mktemp("alignment")
    save_file(weights.tensors(**weights.SMALL), folder / "small.safetensors")
    convert_alignment(folder / "small.safetensors", folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def align(run) -> Alignment:
    return load_alignment(run)
