import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.rendering import Camera


def test_projects_as_the_original():
    points = np.array([[0.0, 0.0, 0.0], [0.1, 0.2, 1.84], [-0.3, -0.1, -1.0]])
    u, v, depth = Camera(224).project(points).T
    np.testing.assert_allclose(u, 112 + 1315 * points[:, 0] / (10 - points[:, 2]))
    np.testing.assert_allclose(v, 112 - 1315 * points[:, 1] / (10 - points[:, 2]))
    np.testing.assert_allclose(depth, [10, 8.16, 11])


def test_focal_length_grows_with_the_picture_and_the_zoom():
    point = np.array([0.2, 0.1, 1.0])
    small, large = Camera(224).project(point), Camera(448).project(point)
    np.testing.assert_allclose(large[:2], 2 * small[:2])
    zoomed = Camera(224, zoom=0.5).project(point)
    np.testing.assert_allclose(zoomed[:2] - 112, 0.5 * (small[:2] - 112))


def test_homogeneous_points_are_the_projection_before_its_division():
    camera = Camera(100, zoom=0.7)
    points = np.random.RandomState(0).normal(size=(5, 4, 3)).astype(np.float32)
    x, y, w = np.moveaxis(camera.homogeneous(points), -1, 0)
    u, v, depth = np.moveaxis(camera.project(points), -1, 0)
    np.testing.assert_allclose(x / w + 50, u, rtol=1e-5)
    np.testing.assert_allclose(y / w + 50, v, rtol=1e-5)
    np.testing.assert_allclose(w, depth, rtol=1e-6)


def test_views_go_from_the_middles_of_pixels_to_the_camera():
    camera = Camera(20, zoom=0.7)
    points = np.array([0, 0, 10.0]) - 7 * camera.views()
    v, u = np.mgrid[:20, :20] + 0.5
    np.testing.assert_allclose(camera.project(points)[..., 0], u, atol=1e-3)
    np.testing.assert_allclose(camera.project(points)[..., 1], v, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(camera.views(), axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"zoom": 0.0}, {"zoom": float("nan")}])
def test_refuses_impossible_cameras(wrong: dict):
    with pytest.raises(UserError, match=next(iter(wrong))):
        Camera(**wrong)
