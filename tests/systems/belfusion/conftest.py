"""Run directories of BeLFusion, small enough for tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jaxreact.systems.belfusion.conversion import convert_belfusion, convert_vae
from tests.systems.belfusion.weights import CHECKPOINTS

MEAN = np.linspace(0.1, 0.9, 58).astype(np.float32)


@pytest.fixture(scope="session")
def belfusion_run(tmp_path_factory) -> Callable[[str], Path]:
    """The converted system of a mode, "offline" or "online"; not to be written to."""
    folder = tmp_path_factory.mktemp("belfusion")
    np.save(folder / "mean_face.npy", MEAN)
    convert_vae(CHECKPOINTS / "vae_small", folder / "vae", folder / "mean_face.npy")

    def run(mode: str) -> Path:
        out = folder / mode
        if not out.exists():
            convert_belfusion(CHECKPOINTS / f"ldm_small_{mode}", out, folder / "vae")
        return out

    return run
