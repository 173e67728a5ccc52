"""PyTorch3D's backend beside the original's renderer and beside ours; needs the extra `render`."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("pytorch3d.renderer", exc_type=ImportError)

import torch

from jaxreact.rendering import Camera, choose_backend, render
from jaxreact.rendering.backends import pytorch3d
from jaxreact.rendering.backends.cpu import CpuRenderer
from jaxreact.rendering.backends.pytorch3d import Pytorch3dRenderer
from tests.rendering.backends.scenes import Scene, small_scenes
from tests.rendering.backends.test_golden import agreement

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "rasterizer.npz")
SCENES = small_scenes()
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def pictures(scene: Scene, zoom: float = 1.0) -> np.ndarray:
    return np.stack(list(Pytorch3dRenderer(scene, Camera(scene.size, zoom)).frames(scene.vertices)))


@pytest.mark.parametrize("name", SCENES)
def test_draws_what_the_originals_renderer_draws(name: str):
    assert agreement(pictures(SCENES[name])[..., 0], GOLDEN[name]) >= 0.995


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("zoom", [0.5, 1.7])
def test_draws_what_the_cpu_backend_draws(name: str, zoom: float):
    scene = SCENES[name]
    ours = np.stack(
        list(CpuRenderer(scene, Camera(scene.size, zoom), "flat").frames(scene.vertices))
    )
    assert agreement(ours, pictures(scene, zoom)) >= 0.995


def test_arrays_of_jax_and_numpy_and_any_division_into_batches_give_the_same(monkeypatch):
    scene = SCENES["sphere_48"]
    whole = pictures(scene)
    monkeypatch.setattr(pytorch3d, "FRAMES", 3)
    monkeypatch.setattr(pytorch3d, "BIN_MEMORY", 1)
    renderer = Pytorch3dRenderer(scene, Camera(scene.size))
    np.testing.assert_array_equal(list(renderer.frames(scene.vertices)), whole)
    np.testing.assert_array_equal(list(renderer.frames(jnp.asarray(scene.vertices))), whole)
    assert list(renderer.frames(scene.vertices[:0])) == []


def test_render_takes_it_by_name(pose):
    assert choose_backend("pytorch3d", "flat") == "pytorch3d"
    ours, theirs = (
        render(pose(jawOpen=1), size=24, shading="flat", backend=name)
        for name in ("cpu", "pytorch3d")
    )
    assert agreement(ours, theirs) >= 0.995


@needs_cuda
def test_vertices_on_the_gpu_are_not_copied():
    import jax

    vertices = jax.device_put(SCENES["sphere_48"].vertices, jax.devices("cuda")[0])
    tensor = Pytorch3dRenderer(SCENES["sphere_48"], Camera(48))._tensor(vertices)
    assert tensor.data_ptr() == vertices.unsafe_buffer_pointer()


@needs_cuda
def test_a_crowded_bin_loses_no_triangle():
    """A head so small that all its 20,000 triangles fall into one bin of the picture."""
    scene = small_scenes()["head_40"]
    small = Scene(scene.vertices, scene.faces, 224)
    camera = Camera(224, zoom=0.05)
    ours = np.stack(list(CpuRenderer(small, camera, "flat").frames(small.vertices)))
    assert agreement(ours, pictures(small, zoom=0.05)) >= 0.995
