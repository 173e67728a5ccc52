"""Pictures turned and cut."""

import numpy as np
import pytest

from jaxreact.tracking.view import View, turned

PICTURE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def test_turns_are_clockwise():
    right = turned(PICTURE, 90)
    assert right.shape == (4, 2, 3)
    np.testing.assert_array_equal(right[0, 0], PICTURE[1, 0])  # what was below left is above left
    np.testing.assert_array_equal(turned(right, 270), PICTURE)
    np.testing.assert_array_equal(turned(PICTURE, 180), PICTURE[::-1, ::-1])
    assert turned(PICTURE, 0) is PICTURE


def test_a_part_is_taken_of_what_was_turned():
    view = View(90, (0, 1, 2))
    np.testing.assert_array_equal(view.of(PICTURE), turned(PICTURE, 90)[1:3])
    assert view.in_whole((0.5, 0.5), (2, 4)) == pytest.approx((0.5, 0.5))
    assert view.in_whole((0.0, 1.0), (2, 4)) == pytest.approx((0.0, 0.75))
    assert View(90).in_whole((0.2, 0.3), (2, 4)) == (0.2, 0.3)
