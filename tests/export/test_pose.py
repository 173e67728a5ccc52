"""Where a head is, in the terms of others, for poses whose look is known."""

import math

import numpy as np
import pytest

from jaxreact.export.pose import quaternions, rotations, translations
from jaxreact.face import ROLL
from jaxreact.rendering import load_builtin_head
from tests.export.faces import LEAN, NOD, TURN, poses, rest, straight

SECONDS = (0, 25, 50)
"""Frames of the three poses."""


def turned(axis: int) -> np.ndarray:
    """Where an axis of the head points in each pose."""
    return rotations(poses().coeffs[list(SECONDS)]).apply(straight(axis))


def test_a_turn_to_the_own_left_a_nod_down_and_a_lean_to_the_own_right():
    (left, up, out), _, _ = turned(2)
    np.testing.assert_allclose((left, up, out), (math.sin(TURN), 0, math.cos(TURN)), atol=1e-6)
    _, (left, up, out), _ = turned(2)
    np.testing.assert_allclose((left, up, out), (0, -math.sin(NOD), math.cos(NOD)), atol=1e-6)
    _, _, (left, up, out) = turned(1)  # the crown
    np.testing.assert_allclose((left, up, out), (-math.sin(LEAN), math.cos(LEAN), 0), atol=1e-6)


def test_quaternions_of_them():
    made = quaternions(poses().coeffs[list(SECONDS)])
    expected = [
        [0, math.sin(TURN / 2), 0, math.cos(TURN / 2)],
        [math.sin(NOD / 2), 0, 0, math.cos(NOD / 2)],
        [0, 0, math.sin(LEAN / 2), math.cos(LEAN / 2)],
    ]
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_the_head_is_turned_as_the_renderer_turns_it():
    """Of vertices that follow the head; the renderer's world has these axes at another scale."""
    head = load_builtin_head()
    whole = np.flatnonzero(head.grip == 1)[::500]
    coeffs = poses().coeffs[list(SECONDS)]
    coeffs[:, :52] = 0
    drawn = np.asarray(head.vertices(coeffs.astype(np.float32)))[:, whole]
    still = np.asarray(head.vertices(rest()))[0, whole] - [0, 0, 1.84]
    for frame in range(3):
        expected = rotations(coeffs)[frame].apply(still) * 0.175 + translations(coeffs)[frame]
        np.testing.assert_allclose((drawn[frame] - [0, 0, 1.84]) * 0.175, expected, atol=1e-5)


def test_places_are_metres_from_the_middle():
    coeffs = rest()
    coeffs[0, 55:] = 0.2, -0.4, 1.84 + 1
    np.testing.assert_allclose(translations(coeffs), [[0.035, -0.07, 0.175]], atol=1e-6)


def test_quaternions_go_on_through_a_whole_turn():
    """After it w is -1 instead of 1; whoever interpolates does not turn back. It does not matter
    that the angle jumps on the way."""
    coeffs = rest(101)
    turn = np.linspace(0, 2 * math.pi, 101)
    coeffs[:, ROLL] = np.where(turn > math.pi, turn - 2 * math.pi, turn)
    made = quaternions(coeffs)
    np.testing.assert_allclose(np.linalg.norm(np.diff(made, axis=0), axis=1), 0.0314, atol=1e-4)
    np.testing.assert_allclose(made[-1], [0, 0, 0, -1], atol=1e-6)


def test_the_first_quaternion_has_a_positive_w():
    coeffs = rest(2)
    coeffs[:, ROLL] = 3.5  # over the top: as -2.78
    first, second = quaternions(coeffs)
    assert first[3] == pytest.approx(math.cos((3.5 - 2 * math.pi) / 2), abs=1e-6)
    np.testing.assert_array_equal(first, second)
