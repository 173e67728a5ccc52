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


def test_rays_go_through_the_points_they_are_named_after():
    camera = Camera(100, zoom=0.7)
    u, v = np.array([3.5, 50.0, 80.25]), np.array([60.5, 50.0, 1.0])
    points = np.array([0, 0, 10.0]) + 7 * camera.directions(u, v)
    np.testing.assert_allclose(camera.project(points)[:, :2], np.stack([u, v], 1), atol=1e-4)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"zoom": 0.0}, {"zoom": float("nan")}])
def test_refuses_impossible_cameras(wrong: dict):
    with pytest.raises(UserError, match=next(iter(wrong))):
        Camera(**wrong)
