"""The rasteriser's rules on triangles whose pixels are known.

`flat` points are given as (column, row, depth) in pixels from the picture's upper left corner.
"""

import numpy as np
import pytest
from scipy.spatial import Delaunay

from jaxreact.rendering import Camera
from jaxreact.rendering.backends.rasterizer import NEAR, visible, weights
from jaxreact.rendering.shade import flat_picture
from tests.rendering.backends.scenes import small_scenes

CENTRE = np.array([(0.5, 0.5)])
SIZE = 12


def draw(points: np.ndarray, faces, size: int = SIZE) -> np.ndarray:
    """The triangle at each pixel's centre, (size, size); `points` are homogeneous."""
    everywhere = np.ones((size, size), bool)
    return visible(points, np.array(faces, np.int32), CENTRE, everywhere)[..., 0]


def at(*places, size: int = SIZE) -> np.ndarray:
    """Homogeneous points from (column, row) or (column, row, depth); depth 1 by default."""
    rows = np.array([(*place, 1.0)[:3] for place in places], float)
    depth = rows[:, 2:]
    return np.hstack([(rows[:, :2] - size / 2) * depth, depth])


def test_one_triangle_covers_the_pixels_whose_centres_it_holds():
    # Centres (i + 0.5, j + 0.5) with i, j >= 2 and (i - 1.5) + (j - 1.5) < 8: 7 + 6 + ... + 1.
    front = draw(at((2, 2), (10, 2), (2, 10)), [[0, 1, 2]])
    row, column = np.mgrid[:SIZE, :SIZE]
    expected = (row >= 2) & (column >= 2) & (row + column < 11)
    assert expected.sum() == 28
    np.testing.assert_array_equal(front == 0, expected)


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 2, 0], [2, 1, 0]])
def test_corner_order_and_winding_do_not_matter(order):
    points = at((1.2, 2.3, 3), (9.7, 4.1, 2), (4.4, 10.9, 5))
    np.testing.assert_array_equal(draw(points, [order]), draw(points, [[0, 1, 2]]))


def test_centres_on_edges_belong_to_what_is_right_or_below():
    # A square whose four sides and whose diagonal all run through centres.
    front = draw(at((2.5, 2.5), (8.5, 2.5), (8.5, 8.5), (2.5, 8.5)), [[0, 1, 2], [0, 2, 3]])
    expected = np.full((SIZE, SIZE), -1)
    row, column = np.mgrid[2:8, 2:8]  # left and upper side drawn, right and lower side not
    expected[2:8, 2:8] = np.where(column >= row, 0, 1)  # the diagonal's right is triangle 0
    np.testing.assert_array_equal(front, expected)


@pytest.mark.parametrize("grid", [2, 1000])
@pytest.mark.parametrize("deep", [False, True])
def test_a_triangulated_square_covers_each_pixel_once(grid: int, deep: bool):
    """Corners on centres and edges of pixels (grid 2), or anywhere; at one depth, or many.

    The depths are powers of two, so that what should lie on a centre does not miss it by rounding.
    """
    rng = np.random.RandomState(grid)
    size = 20
    places = rng.randint(2 * grid, (size - 2) * grid, (60, 2)) / grid
    border = [(2, 2), (2, size - 2), (size - 2, 2), (size - 2, size - 2)]
    places = np.unique(np.vstack([places, border]), axis=0)
    faces = Delaunay(places).simplices
    depth = 2.0 ** rng.randint(0, 4, len(places)) if deep else np.ones(len(places))
    points = at(*np.column_stack([places, depth]), size=size)
    times = sum((draw(points, [face], size) == 0).astype(int) for face in faces)
    expected = np.zeros((size, size), int)
    expected[2:-2, 2:-2] = 1
    np.testing.assert_array_equal(times, expected)
    np.testing.assert_array_equal(draw(points, faces, size) >= 0, expected == 1)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_nearer_triangle_wins_whatever_comes_first(order):
    far, near = [(0, 0, 5), (12, 0, 5), (0, 12, 5)], [(0, 0, 4), (12, 0, 4), (0, 12, 4)]
    front = draw(at(*far, *near), np.array([[0, 1, 2], [3, 4, 5]])[order])
    assert set(np.unique(front)) == {-1, order.index(1)}


def test_first_triangle_wins_where_two_coincide():
    points = at((0, 0, 5), (12, 0, 5), (0, 12, 5))
    assert draw(points, [[0, 1, 2], [0, 1, 2]]).max() == 0


def test_depth_is_perspective_correct():
    # A slope from depth 1 (left) to 10 (right) meets a wall at depth 2. 1 / depth is linear in the
    # picture: 1 - 0.9 c / 100 = 1 / 2 at c = 55.6. Depth linear in the picture would say 11.1.
    size = 100
    slope = [(0, 0, 1), (100, 0, 10), (100, 100, 10), (0, 100, 1)]
    wall = [(0, 0, 2), (100, 0, 2), (100, 100, 2), (0, 100, 2)]
    quads = [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]
    front = draw(at(*slope, *wall, size=size), quads, size)
    np.testing.assert_array_equal((front < 2).sum(axis=1), np.full(size, 56))


def test_order_of_triangles_does_not_change_the_picture():
    scene = small_scenes()["interpenetrating_64"]
    rng = np.random.RandomState(0)
    for vertices in scene.vertices:
        points = Camera(64).homogeneous(vertices)
        pictures = [
            flat_picture(vertices.astype(float), faces, draw(points, faces, 64))
            for faces in (scene.faces, rng.permutation(scene.faces), scene.faces[::-1].copy())
        ]
        np.testing.assert_array_equal(pictures[0], pictures[1])
        np.testing.assert_array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize(
    "flat",
    [
        [(1, 1), (5, 5), (9, 9)],
        [(1.5, 1.5), (1.5, 1.5), (9, 4)],
        [(3.5, 0), (3.5, 6), (3.5, 12)],
        [(6, 6), (6, 6), (6, 6)],
    ],
)
def test_triangles_without_area_are_not_drawn(flat):
    assert draw(at(*flat), [[0, 1, 2]]).max() == -1


@pytest.mark.parametrize("shift", [(-12, 0), (12, 0), (0, -12), (0, 12), (1e30, 0), (-7, -1e9)])
def test_what_lies_beside_the_picture_is_not_drawn(shift):
    triangle = np.add([(0, 0), (12, 0), (0, 12)], shift)
    assert draw(at(*triangle), [[0, 1, 2]]).max() == -1


def test_a_triangle_far_larger_than_the_picture_fills_it():
    assert (draw(at((-1e9, -1e9), (3e9, -1e9), (-1e9, 3e9)), [[0, 1, 2]]) == 0).all()


def test_nothing_behind_the_camera_or_too_near_is_drawn():
    triangle = np.array([(-9.0, -9, 1), (9, -9, 1), (0, 9, 1)])
    assert draw(triangle, [[0, 1, 2]]).max() == 0
    assert draw(-triangle, [[0, 1, 2]]).max() == -1
    assert draw(triangle * NEAR * 0.99, [[0, 1, 2]]).max() == -1
    assert draw(triangle * NEAR * 1.01, [[0, 1, 2]]).max() == 0


def test_a_floor_that_runs_under_the_camera_reaches_the_lower_border():
    # Height 30 (pixels times depth) below the camera, from depth 10 to far behind: row 3 and more
    # below the middle. Every corner is beyond the picture or behind the camera.
    floor = np.array([(-1e6, 30, 10), (1e6, 30, 10), (1e6, 30, -50), (-1e6, 30, -50)])
    front = draw(floor, [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal((front >= 0).all(axis=1), np.arange(SIZE) >= 6 + 3)
    np.testing.assert_array_equal((front >= 0).any(axis=1), np.arange(SIZE) >= 6 + 3)


def test_the_mesh_is_cut_off_just_before_the_camera():
    # The same floor, so close under the camera that its nearest part would be within the picture.
    floor = np.array([(-1e6, 4 * NEAR, 10), (1e6, 4 * NEAR, 10), (0, 4 * NEAR, -50)])
    rows = (draw(floor, [[0, 1, 2]]) >= 0).any(axis=1)
    np.testing.assert_array_equal(rows, (np.arange(SIZE) >= 6) & (np.arange(SIZE) < 6 + 4))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 1e-45])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_extreme_corners_neither_crash_nor_disturb_other_triangles(value: float, axis: int):
    good = at((2, 2, 0.5), (10, 2, 0.5), (2, 10, 0.5))
    bad = at((1, 1), (11, 1), (1, 11))
    bad[1, axis] = value
    front = draw(np.vstack([good, bad]), [[3, 4, 5], [0, 1, 2]])
    hidden = draw(good, [[0, 1, 2]]) == 0
    if value == 1e-45 and axis == 2:
        hidden[:] = False  # it comes to within NEAR of the camera: before everything
        assert (front >= 0).any()
    assert (front[hidden] == 1).all()


def test_samples_are_drawn_as_if_each_were_alone_and_only_where_wanted():
    scene = small_scenes()["sphere_48"]
    points = Camera(48).homogeneous(scene.vertices[0])
    samples = np.array([(0.375, 0.125), (0.875, 0.375), (0.0, 0.99)])
    wanted = np.random.RandomState(0).uniform(size=(48, 48)) < 0.3
    together = visible(points, scene.faces, samples, wanted)
    for index, sample in enumerate(samples):
        alone = visible(points, scene.faces, sample[None], np.ones_like(wanted))[..., 0]
        np.testing.assert_array_equal(together[..., index], np.where(wanted, alone, -1))


def test_weights_are_those_of_the_point_that_a_ray_meets():
    rng = np.random.RandomState(1)
    points = at((1, 2, 3), (10, 3, 7), (4, 11, 1.5))
    for shares in rng.dirichlet((1, 1, 1), 20):
        x, y, depth = shares @ points
        np.testing.assert_allclose(
            weights(points, np.array([[0, 1, 2]], np.int32), 0, x / depth, y / depth), shares
        )
