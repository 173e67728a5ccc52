"""FaceVerse's forward pass beside its equations, and pictures of the made-up mask."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from jaxreact.errors import UserError
from jaxreact.rendering import Camera, render
from jaxreact.rendering.heads.faceverse import spherical_light
from tests.rendering import faceverse_file


@pytest.fixture(scope="module")
def person() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        "identity": rng.normal(size=150),
        "expression": rng.uniform(-0.5, 1, (4, 52)),
        "rotation": rng.normal(size=(4, 3)) * 0.5 + [np.pi, 0, 0],
        "translation": rng.normal(size=(4, 3)) * 0.3 + [0, 0, 1.8],
    }


def world_in_numpy(content, person, frame: int) -> np.ndarray:
    """The world positions of one frame from FaceVerse's own arrays, float64."""
    shape = content["meanshape"].astype(float).reshape(-1)
    shape = shape + content["idBase"].astype(float) @ person["identity"]
    shape = shape + content["exBase"].astype(float) @ person["expression"][frame]
    matrix = Rotation.from_euler("xyz", person["rotation"][frame]).as_matrix()
    return shape.reshape(-1, 3) @ matrix.T + person["translation"][frame]


def project(points: np.ndarray, size: int) -> np.ndarray:
    x, y, z = points.T
    focal = 1315 * size / 224
    return np.stack([size / 2 + focal * x / (10 - z), size / 2 - focal * y / (10 - z)], axis=-1)


def test_vertices(content, model, person):
    world = model.vertices(**person)
    assert world.shape == (4, len(model.mean_shape), 3)
    for frame in range(4):
        expected = world_in_numpy(content, person, frame)
        np.testing.assert_allclose(world[frame], expected, rtol=0, atol=1e-5)


def test_batches_have_any_shape(model, person):
    square = {k: x if k == "identity" else x.reshape(2, 2, -1) for k, x in person.items()}
    square["identity"] = np.tile(person["identity"], (2, 1, 1))
    whole = model.vertices(**person)
    np.testing.assert_allclose(
        model.vertices(**square), whole.reshape(2, 2, -1, 3), rtol=0, atol=1e-6
    )
    first = {k: x if k == "identity" else x[0] for k, x in person.items()}
    np.testing.assert_allclose(model.vertices(**first), whole[0], rtol=0, atol=1e-6)


def test_one_persons_head_is_the_model_with_that_identity(model, person):
    coeffs = np.concatenate([person[k] for k in ("expression", "rotation", "translation")], axis=1)
    world = model.head(person["identity"]).vertices(coeffs)
    np.testing.assert_allclose(world, model.vertices(**person), rtol=0, atol=1e-5)
    assert not np.allclose(world, model.head().vertices(coeffs), atol=1e-2)


@pytest.mark.parametrize("camera", [None, Camera(96, zoom=0.5)])
def test_landmarks_are_projected_keypoints(content, model, person, camera):
    found = model.landmarks(**person, camera=camera)
    assert found.shape == (4, 66, 2)
    points = world_in_numpy(content, person, 2)[content["keypoints"][:, 0]]
    expected = project(points, 224)
    if camera:
        expected = (expected - 112) * 96 / 224 * 0.5 + 48
    np.testing.assert_allclose(found[2], expected, rtol=0, atol=2e-3)


def test_landmarks_take_the_absolute_expression_only_if_asked(model, person):
    signed = model.landmarks(**person)
    absolute = model.landmarks(**person, absolute_expression=True)
    assert np.abs(signed - absolute).max() > 0.5
    positive = {**person, "expression": np.abs(person["expression"])}
    np.testing.assert_allclose(absolute, model.landmarks(**positive), rtol=0, atol=1e-3)


def test_landmarks_are_differentiable(model, person):
    first = {k: x if k == "identity" else x[0] for k, x in person.items()}

    def distance(turn):
        return model.landmarks(**{**first, "rotation": turn}).mean()

    turn, step = first["rotation"].astype(np.float32), np.float32(1e-2)
    slope = jax.grad(distance)(turn)
    for axis in np.eye(3, dtype=np.float32):
        secant = (distance(turn + step * axis) - distance(turn - step * axis)) / (2 * step)
        assert float(slope @ axis) == pytest.approx(float(secant), rel=0.02, abs=0.5)


OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
OUTSIDE = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]


def test_normals_of_an_octahedron_point_along_its_corners(model):
    model = replace(model, triangles=np.array(OUTSIDE, np.int32))
    np.testing.assert_allclose(model.normals(OCTAHEDRON), OCTAHEDRON, atol=1e-6)
    matrix = Rotation.from_euler("xyz", [0.3, -0.7, 1.1]).as_matrix()
    turned = np.stack([OCTAHEDRON @ matrix.T, 5 * OCTAHEDRON + [1, 2, 3]])
    expected = np.stack([OCTAHEDRON @ matrix.T, OCTAHEDRON])
    np.testing.assert_allclose(model.normals(turned), expected, atol=1e-6)


def test_normals_weigh_triangles_by_their_area(model):
    """A corner between the xy-plane's triangle of area 2 and the yz-plane's of area 1/2."""
    model = replace(model, triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    corners = np.array([[0, 0, 0], [4, 0, 0], [0, 1, 0], [0, 0, 1], [9, 9, 9]], np.float32)
    normal = np.array([1, 0, 4]) / np.sqrt(17)
    found = np.asarray(model.normals(corners))
    np.testing.assert_allclose(found[0], normal, atol=1e-6)
    np.testing.assert_array_equal(found[4], 0)  # in no triangle


def test_normals_of_the_mask_face_the_camera(model):
    world = model.vertices(np.zeros(150), np.zeros(52), np.array([np.pi, 0, 0]), np.zeros(3))
    toward = np.asarray(model.normals(world))[:, 2]
    assert np.median(toward) > 0.5
    assert (toward > 0).mean() > 0.9


LIGHTS = [
    # normal, band, value: band 0 has 0.8 more than gamma says
    ((0, 0, 1), 0, 0.886227),
    ((0, 1, 0), 1, -1.772454),
    ((0, 0, 1), 2, 1.772454),
    ((1, 0, 0), 3, -1.772454),
    ((0.6, 0.8, 0), 4, 2.427032 * 0.48),
    ((0, 0.6, 0.8), 5, -2.427032 * 0.48),
    ((0, 0, 1), 6, 1.401248),
    ((1, 0, 0), 6, -0.700624),
    ((0.6, 0, 0.8), 7, -2.427032 * 0.48),
    ((1, 0, 0), 8, 1.213516),
    ((0, 1, 0), 8, -1.213516),
]


@pytest.mark.parametrize(("normal", "band", "value"), LIGHTS)
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_light_of_one_band_and_channel(normal, band, value, channel):
    gamma = np.zeros((2, 27), np.float32)
    gamma[1, 9 * channel + band] = 0.5
    light = np.asarray(spherical_light(gamma, np.array([[normal]] * 2, np.float32)))
    ambient = 0.708982
    np.testing.assert_allclose(light[0, 0], ambient, atol=1e-5)
    expected = np.full(3, ambient)
    expected[channel] += 0.5 * value
    np.testing.assert_allclose(light[1, 0], expected, atol=1e-5)


def test_albedo_and_colors(content, model):
    rng = np.random.default_rng(0)
    texture, light = rng.normal(size=(2, 251)), rng.normal(size=(2, 27)) * 0.2
    normals = rng.normal(size=(2, len(model.mean_shape), 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    albedo = content["meantex"].astype(float) + texture @ content["texBase"].astype(float).T
    found = model.albedo(texture)
    np.testing.assert_allclose(found, albedo.reshape(2, -1, 3), atol=2e-3)
    shade = spherical_light(light, normals)
    np.testing.assert_allclose(model.colors(texture, light, normals), found * shade, rtol=1e-5)
    assert np.ptp(np.asarray(shade)) > 0.5


def test_smooth_pictures_are_skin_coloured(model, person):
    head = model.head()
    np.testing.assert_allclose(head.colors, model.mean_texture / 255, atol=1e-6)
    bright = model.head(texture=np.full(251, 50.0))
    assert bright.colors.min() >= 0
    assert bright.colors.max() <= 1
    assert (head.grip == 1).all()


@pytest.mark.wrong_arguments
def test_wrong_coefficients_are_named(model, person):
    for name, value in person.items():
        with pytest.raises(UserError, match=name):
            model.vertices(**{**person, name: value[..., :-1]})
    with pytest.raises(UserError, match=r"identity.*\(150,\)"):
        model.head(np.zeros((1, 150)))
    with pytest.raises(UserError, match="identity: a coefficient is not finite"):
        model.head(np.full(150, np.nan))
    with pytest.raises(UserError, match=r"texture: FaceVerse has 251 coefficients.*\(250,\)"):
        model.albedo(np.zeros(250))


def test_flat_picture_is_lit_upright_and_not_mirrored(model, pose):
    head = model.head()
    coeffs = [pose(), pose(jawOpen=1), pose(browInnerUp=1), pose(mouthSmileLeft=1)]
    pictures = render(np.concatenate(coeffs), head, size=96, shading="flat")[..., 0].astype(int)
    rest = pictures[0]
    covered = rest[rest > 0]
    assert covered.size > 0.3 * rest.size
    assert np.median(covered) > 140
    assert covered.max() <= 210
    jaw, brows, smile = (np.abs(picture - rest) > 3 for picture in pictures[1:])
    assert jaw[:40].sum() == 0 < jaw[60:].sum()
    assert brows[60:].sum() == 0 < brows[:40].sum()
    left, right = smile[:, :48].sum(), smile[:, 48:].sum()
    assert right > 5 * left + 10


def test_reversed_triangles_would_be_dark(model, pose):
    """So that the test above would notice."""
    head = replace(model.head(), faces=model.triangles[:, ::-1].copy())
    picture = render(pose(), head, size=64, shading="flat")[0, ..., 0]
    assert np.median(picture[picture > 0]) == 20


def test_the_mouth_is_the_only_hole(model, pose):
    picture = render(pose(jawOpen=1), model.head(), size=128, shading="flat")[0, ..., 0]
    rows, columns = np.nonzero(picture == 0)
    inside = (np.abs(columns - 64) < 30) & (rows > 30) & (rows < 105)
    assert inside.sum() > 10
    assert np.abs(columns[inside] - 64).max() < 20
    assert rows[inside].min() > 75


def test_full_size_has_the_topology_of_the_released_file():
    chart, triangles = faceverse_file._mesh(faceverse_file.FULL.counts())
    assert (len(chart), len(triangles)) == (28632, 56698)
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    uses = np.unique(edges, axis=0, return_counts=True)[1]
    assert (uses == 1).sum() == 474 + 92
    assert uses.max() == 2
    assert len(chart) - len(uses) + len(triangles) == 0  # a disc with one hole
