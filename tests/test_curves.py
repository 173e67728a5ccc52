"""Channels of a face: what each is read from, and head angles in degrees."""

import numpy as np
import pytest

from jaxreact.curves import ANGLES, EMOTION, IN_PICTURES, IN_REPORTS, UNITS
from jaxreact.face import (
    COEFFS,
    EMOTIONS,
    EXPRESSIONS,
    NEUTRAL_ROTATION,
    PITCH,
    ROLL,
    ROTATION,
    YAW,
    degrees_from_upright,
)

COLUMNS = np.arange(25, dtype=np.float32)


@pytest.mark.parametrize("turns", [-1, 0, 1])
@pytest.mark.parametrize("column", [PITCH, YAW, ROLL])
def test_head_angles_are_degrees_from_upright(column, turns):
    coeffs = np.zeros((2, 3, COEFFS))
    coeffs[..., ROTATION] = NEUTRAL_ROTATION
    np.testing.assert_allclose(degrees_from_upright(coeffs, column), np.zeros((2, 3)))
    coeffs[1, :, column] += np.deg2rad(-8) + turns * 2 * np.pi
    np.testing.assert_allclose(degrees_from_upright(coeffs, column)[1], -8)
    coeffs[0, 0, column] += np.pi
    assert degrees_from_upright(coeffs, column)[0, 0] == pytest.approx(-180)


def test_curves_are_read_from_their_columns():
    for column, name in enumerate(EMOTIONS):
        assert EMOTION[name].of(None, COLUMNS) == column
        assert EMOTION[name].of(np.zeros(COEFFS), None) is None
    for column, name in enumerate(EXPRESSIONS):
        assert UNITS[name].of(np.arange(58.0), None) == column
        assert UNITS[name].of(None, COLUMNS) is None
    nod = np.zeros(COEFFS)
    nod[PITCH] = NEUTRAL_ROTATION[0] + np.deg2rad(5)
    assert ANGLES["pitch"].of(nod, None) == pytest.approx(5)


def test_several_columns_are_averaged():
    coeffs = np.zeros((4, COEFFS))
    coeffs[:, EXPRESSIONS.index("mouthSmileLeft")] = 0.5
    smile = next(curve for curve in IN_PICTURES if curve.title == "Smile")
    np.testing.assert_allclose(smile.of(coeffs, None), 0.25)  # pyright: ignore


def test_labels_say_units_and_no_two_are_alike():
    for curves in ((*EMOTION.values(), *ANGLES.values(), *UNITS.values()), IN_PICTURES):
        labels = [curve.label for curve in curves]
        assert len(set(labels)) == len(labels)
    assert [curve.label for curve in IN_REPORTS] == [
        "Smile (AU12)",
        "Brow lowered (AU4)",
        "Valence (-1 to 1)",
        "Head pitch (° down)",
    ]
