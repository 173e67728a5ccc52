from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.rendering import CHUNK, Camera, HeadModel, load_builtin_head, render, render_frames
from jaxreact.rendering.backends.cpu import CENTRE, CpuRenderer
from jaxreact.rendering.backends.rasterizer import visible

SIZE = 128


def square(z_of_right_edge: float = 0.0) -> HeadModel:
    """Two triangles that face the camera at pitch 0, the right edge moved along z."""
    z = z_of_right_edge
    corners = np.array([[-0.2, -0.1, 0], [0.2, -0.1, z], [0.2, 0.1, z], [-0.2, 0.1, 0]])
    return HeadModel(
        neutral=corners.astype(np.float32),
        units=np.zeros((52, 4, 3), np.float32),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        colors=np.full((4, 3), 0.5, np.float32),
        gloss=np.zeros(4, np.float32),
        grip=np.ones(4, np.float32),
        pivot=np.zeros(3, np.float32),
    )


def test_flat_square_covers_exactly_its_pixels_in_the_originals_grey():
    picture = render(np.zeros((1, 58)), square(), size=224, shading="flat")[0]
    v, u = np.mgrid[:224, :224] + 0.5
    inside = (np.abs(u - 112) < 131.5 * 0.2) & (np.abs(v - 112) < 131.5 * 0.1)
    np.testing.assert_array_equal(picture, np.where(inside, 210, 0)[..., None].repeat(3, axis=2))


def test_flat_grey_follows_the_slope():
    picture = render(np.zeros((1, 58)), square(0.25), size=224, shading="flat")[0]
    slope = 0.4 / np.hypot(0.4, 0.25)
    assert set(np.unique(picture)) == {0, int(200 * (0.1 + 0.95 * slope))}


def test_back_of_a_surface_is_drawn_in_ambient_grey():
    head = square()
    behind = render(np.array([[0.0] * 52 + [0, np.pi, 0, 0, 0, 0]]), head, shading="flat")[0]
    assert set(np.unique(behind)) == {0, 20}


def test_flat_face_lies_between_20_and_210_on_black(pose):
    picture = render(pose(), size=SIZE, shading="flat")[0]
    assert picture.dtype == np.uint8
    assert (picture[0, 0] == 0).all()
    covered = picture[picture[..., 0] > 0]
    assert covered.min() >= 20
    assert covered.max() > 195
    assert covered.max() <= 210
    assert (picture == picture[..., :1]).all()
    assert picture[SIZE // 2, SIZE // 2, 0] > 60  # a reversed winding would be 20 all over


def test_smooth_picture_has_skin_in_the_middle_hair_above_and_wall_beside(pose):
    picture = render(pose(), size=SIZE)[0].astype(int)
    middle, top, corner = picture[SIZE // 2, SIZE // 2], picture[8, SIZE // 2], picture[2, 2]
    assert middle[0] > middle[1] > middle[2] > 60
    assert middle[0] > 170
    assert top.max() < 100
    assert corner[2] > corner[0]


def test_face_has_no_holes(pose):
    coeffs = np.concatenate([pose(), pose(jawOpen=1), pose(mouthSmile=1, eyeBlink=1)])
    face = render(coeffs, size=256, shading="flat")[:, :, 70:186, 0]
    assert face.min() >= 20


def pixels(coeffs: np.ndarray, name: str) -> int:
    """Pixels of a 256-pixel picture that show a part of the head."""
    head = load_builtin_head()
    points = Camera(256).homogeneous(np.asarray(head.vertices(coeffs)[0]))
    everywhere = np.ones((256, 256), bool)
    shown = visible(points, np.array(head.faces), CENTRE, everywhere)
    return int(np.isin(head.faces[shown[shown >= 0], 0], part_rows(name)).sum())


def part_rows(name: str) -> np.ndarray:
    path = resources.files("jaxreact.rendering") / "assets" / "head.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return np.flatnonzero(arrays["part"] == name)


def test_blinking_hides_the_eyeballs(pose):
    assert pixels(pose(), "eye") > 150
    assert pixels(pose(eyeBlink=1), "eye") == 0
    assert pixels(pose(eyeBlinkLeft=1), "eye") > 75


def test_opening_the_jaw_shows_tongue_and_lower_teeth(pose):
    assert pixels(pose(), "tongue") + pixels(pose(), "lower teeth") == 0
    assert pixels(pose(jawOpen=0.7), "tongue") > 50
    assert pixels(pose(jawOpen=0.7), "lower teeth") > 20


def test_wink_of_the_left_eye_is_on_image_right(pose):
    rest, wink = render(np.concatenate([pose(), pose(eyeBlinkLeft=1)]), size=SIZE).astype(int)
    changed = np.abs(rest - wink).sum(axis=2)
    assert changed[:, SIZE // 2 :].sum() > 20 * changed[:, : SIZE // 2].sum()


def test_frames_come_one_by_one_and_equal_the_whole(pose):
    coeffs = np.repeat(pose(), CHUNK + 3, axis=0)
    coeffs[:, 53] = np.linspace(-0.3, 0.3, len(coeffs))
    frames = render_frames(coeffs, size=32)
    assert isinstance(frames, Iterator)
    np.testing.assert_array_equal(np.stack(list(frames)), render(coeffs, size=32))


def test_no_frames_give_an_empty_clip():
    assert render(np.zeros((0, 58)), size=16).shape == (0, 16, 16, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coeffs": np.zeros((3, 25))}, r"\(time, 58\)"),
        ({"coeffs": np.full((3, 58), np.inf)}, "frame 0"),
        ({"shading": "toon"}, "shading"),
        ({"backend": "opengl"}, "backend"),
        ({"size": 0}, "size"),
    ],
)
@pytest.mark.wrong_arguments
def test_bad_arguments_fail_before_anything_is_drawn(change: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message):
        render_frames(**{"coeffs": np.zeros((3, 58)), **change})


def test_vertices_of_jax_give_the_pictures_of_numpys(pose):
    head = load_builtin_head()
    vertices = np.asarray(head.vertices(np.concatenate([pose(), pose(jawOpen=1)])))
    for shading in ("flat", "smooth"):
        renderer = CpuRenderer(head, Camera(48), shading)
        expected = list(renderer.frames(vertices))
        np.testing.assert_array_equal(list(renderer.frames(jnp.asarray(vertices))), expected)


def test_silhouettes_are_smooth_in_smooth_pictures_and_hard_in_flat_ones():
    head = replace(square(), colors=np.zeros((4, 3), np.float32))  # black, before a grey wall
    turned = np.array([[0.0] * 52 + [0, 0, 0.3, 0, 0, 8]])
    flat = render(turned, head, size=64, shading="flat", zoom=0.2)[0, ..., 0]
    assert set(np.unique(flat)) == {0, 210}
    middle = render(turned, head, size=64, shading="smooth", zoom=0.2)[0, 20:44, 20:44, 0]
    assert middle.min() == 0
    assert ((middle > 20) & (middle < 160)).sum() > 10
