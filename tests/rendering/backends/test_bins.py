"""The room in a bin is enough for what falls into it, and not much more."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from jaxreact.rendering import Camera  # noqa: E402
from jaxreact.rendering.backends.bins import MARGIN, bin_size, most_in_a_bin  # noqa: E402
from tests.rendering.backends.scenes import Scene, small_scenes  # noqa: E402

SCENES = small_scenes()


def by_hand(scene: Scene, camera: Camera, margin: float) -> int:
    """Triangles whose surroundings meet a bin, bin by bin."""
    side, most = bin_size(camera.size), 0
    for vertices in scene.vertices:
        corners = camera.project(np.asarray(vertices))[scene.faces][..., :2]
        low, high = corners.min(axis=1) - margin, corners.max(axis=1) + margin
        for x in range(0, camera.size, side):
            for y in range(0, camera.size, side):
                start, end = np.array([x, y]), np.array([x + side, y + side])
                most = max(most, int(((low < end) & (high >= start)).all(axis=1).sum()))
    return most


def counted(scene: Scene, camera: Camera) -> int:
    vertices = torch.tensor(np.asarray(scene.vertices), dtype=torch.float32)
    return most_in_a_bin(vertices, torch.tensor(np.asarray(scene.faces)).long(), camera)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize(("size", "zoom"), [(64, 1.0), (224, 1.0), (224, 0.05), (100, 2.5)])
def test_room_for_all_that_meet_a_bin(name, size, zoom):
    scene, camera = SCENES[name], Camera(size, zoom)
    found = counted(scene, camera)
    if name.startswith("through_the_camera"):
        assert found == len(scene.faces)
        return
    assert by_hand(scene, camera, 0.9 * MARGIN) <= found <= by_hand(scene, camera, 1.1 * MARGIN)


def test_a_large_head_leaves_most_of_the_room_out():
    scene = SCENES["head_40"]
    assert counted(scene, Camera(224)) < 0.2 * len(scene.faces)
    assert counted(scene, Camera(224, 0.05)) > 0.4 * len(scene.faces)


def test_room_for_everything_where_a_triangle_is_cut():
    vertices = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 10.5]]])
    faces = torch.tensor([[0, 1, 2]] * 7)
    assert most_in_a_bin(vertices, faces, Camera(224)) == 7


def test_what_is_beside_the_picture_needs_no_room():
    vertices = torch.tensor([[[50.0, 0, 0], [51, 0, 0], [50, 1, 0]]])
    assert most_in_a_bin(vertices, torch.tensor([[0, 1, 2]] * 7), Camera(224)) == 0


@pytest.mark.parametrize(
    ("picture", "side"), [(48, 8), (64, 8), (65, 16), (224, 16), (256, 16), (257, 32), (512, 32)]
)
def test_bins_are_those_that_pytorch3d_would_choose(picture, side):
    assert bin_size(picture) == side
    assert -(-picture // side) <= 16
