"""Places of faces, and what can have become of one meanwhile."""

import numpy as np
import pytest

from jaxreact.tracking.box import Box, can_be, cell_means, likeness, look_of

FACE = Box(100.0, 80.0, 40.0)


@pytest.mark.parametrize(
    ("to", "seconds", "possible"),
    [
        (Box(120.0, 80.0, 40.0), 0.04, True),  # half a face in a picture
        (Box(140.0, 80.0, 40.0), 0.04, False),  # one
        (Box(140.0, 80.0, 40.0), 0.2, True),  # at five pictures a second
        (Box(200.0, 80.0, 40.0), 60.0, False),  # two and a half, whenever
        (Box(100.0, 80.0, 50.0), 0.04, True),
        (Box(100.0, 80.0, 65.0), 0.04, False),
        (Box(100.0, 80.0, 65.0), 0.2, True),
        (Box(100.0, 80.0, 90.0), 60.0, False),
    ],
)
def test_how_far_a_face_can_have_come(to, seconds, possible):
    assert can_be(FACE, to, seconds) == possible
    assert can_be(to, FACE, seconds) == possible


def test_the_distance_is_in_faces():
    assert FACE.faces_to(Box(100.0, 140.0, 80.0)) == 1.0


def test_a_box_ends_where_the_picture_does():
    assert FACE.area(2.0, 100, 130) == (slice(40, 100), slice(60, 130))
    assert Box(-50.0, 10.0, 20.0).area(1.0, 100, 100) == (slice(0, 20), slice(0, 0))


def test_a_look_moves_with_the_face():
    picture = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    picture = picture.repeat(8, 0).repeat(8, 1)[:200, :300]
    moved = np.roll(picture, (5, 12), (0, 1))
    there = Box(112.0, 85.0, 40.0)
    assert likeness(look_of(picture, FACE, 2.0), look_of(moved, there, 2.0)) > 0.99
    assert likeness(look_of(picture, FACE, 2.0), look_of(moved, FACE, 2.0)) < 0.5
    assert look_of(picture, Box(0.0, 0.0, 40.0), 2.0).shape == (16, 16)


def test_likeness_of_brighter_and_of_single_colours():
    cells = cell_means(np.arange(64, dtype=np.uint8).reshape(8, 8), 2, 2)
    np.testing.assert_array_equal(cells, [[13.5, 17.5], [45.5, 49.5]])
    assert likeness(cells, 2 * cells + 30) == pytest.approx(1)
    assert likeness(cells, -cells) == pytest.approx(-1)
    grey, dark = np.full((2, 2), 127.0), np.zeros((2, 2))
    assert (likeness(grey, dark), likeness(grey, cells)) == (1, 0)
