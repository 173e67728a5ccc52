"""The pose conventions of `jaxreact.face` from hand-made MediaPipe matrices."""

import numpy as np
import pytest

from jaxreact.rendering.heads.pose import rotation_matrices
from jaxreact.tracking import pose


def _matrix(axis: int, angle: float, position: tuple[float, float, float] = (0, 0, -40)):
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(4)
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    matrix[:3, 3] = position
    return matrix[None]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("angle", [-0.4, 0.0, 0.4])
def test_bowing_turning_and_tilting(axis, angle):
    """About MediaPipe's x right, y up, z to the camera: bowed, turned right, counter-clockwise."""
    expected = np.array([np.pi, 0.0, 0.0])
    expected[axis] += angle
    np.testing.assert_allclose(pose.rotations(_matrix(axis, angle))[0], expected, atol=1e-9)


def test_angles_rebuild_the_rotation():
    rng = np.random.default_rng(0)
    angles = rng.uniform(-1, 1, (20, 3)) + np.array([np.pi, 0, 0])
    ours = rotation_matrices(angles)
    matrices = np.tile(np.eye(4), (20, 1, 1))
    matrices[:, :3, :3] = ours @ np.diag([1, -1, -1])  # from our model's axes to MediaPipe's
    np.testing.assert_allclose(pose.rotations(matrices), angles, atol=1e-6)


def test_scale_in_the_matrix_does_not_matter():
    matrix = _matrix(0, 0.3)
    scaled = matrix.copy()
    scaled[:, :3, :3] *= 1.7
    np.testing.assert_allclose(pose.rotations(scaled), pose.rotations(matrix), atol=1e-9)


def _at(*positions: tuple[float, float, float]) -> np.ndarray:
    return np.concatenate([_matrix(0, 0.0, position) for position in positions])


def test_the_median_face_is_neutral():
    translation = pose.translations(_at((8, -3, -30), (8, -3, -30), (8, -3, -30)))
    np.testing.assert_allclose(translation, [[0, 0, 1.84]] * 3, atol=1e-12)


def test_moves_keep_their_direction_and_size():
    one = pose.CM_PER_UNIT
    moves = pose.translations(_at((0, 0, -40), (0, 0, -40), (one, 0, -40), (0, one, -40)))
    np.testing.assert_allclose(moves[2], [1, 0, 1.84], atol=1e-12)
    np.testing.assert_allclose(moves[3], [0, 1, 1.84], atol=1e-12)


def test_half_the_distance_is_drawn_twice_as_large():
    far, _, near = pose.translations(_at((0, 0, -40), (0, 0, -40), (0, 0, -20)))
    assert (10 - near[2]) * 2 == pytest.approx(10 - far[2])


def test_the_face_is_found_in_the_picture():
    assert pose.face_centre(_at((0, 0, -40)), 640, 480) == (0.5, 0.5)
    edge = 40 * np.tan(pose.VERTICAL_FOV / 2)
    assert pose.face_centre(_at((edge, edge, -40)), 480, 480) == pytest.approx((1, 0))
    assert pose.face_centre(_at((edge, 0, -40)), 960, 480) == pytest.approx((0.75, 0.5))
