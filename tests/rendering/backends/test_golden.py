"""Our rasteriser beside pictures that PyTorch3D drew; `make_golden.py` made them."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact.rendering import Camera
from jaxreact.rendering.backends.cpu import CpuRenderer
from tests.rendering.backends.scenes import large_scenes, small_scenes

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "rasterizer.npz")
SCENES = small_scenes() | large_scenes()


def agreement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The share of pixels within 1 of each other, in the frame where it is smallest."""
    near = np.abs(ours.astype(int) - theirs) <= 1
    return near.mean(axis=(1, 2)).min()


@pytest.mark.parametrize("name", SCENES)
def test_flat_pictures_are_those_of_pytorch3d(name: str):
    scene = SCENES[name]
    renderer = CpuRenderer(scene, Camera(scene.size), "flat")
    ours = np.stack(list(renderer.frames(scene.vertices)))
    assert (ours == ours[..., :1]).all()
    assert agreement(ours[..., 0], GOLDEN[name]) >= 0.995


def test_every_picture_is_there_and_most_show_much():
    assert set(GOLDEN.files) == {"versions", *SCENES}
    assert all((GOLDEN[name] > 0).mean() > 0.05 for name in SCENES)
