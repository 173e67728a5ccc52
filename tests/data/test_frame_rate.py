"""Frames of one rate as frames of another."""

import numpy as np
import pytest

from jaxreact.data.frame_rate import coeffs_at, emotion_at, frames_at

TURN = 2 * np.pi


@pytest.mark.parametrize(
    ("frames", "rate", "other", "expected"),
    [
        (0, 30, 25, 0),
        (1, 30, 25, 1),
        (2, 30, 25, 1),  # 1 / 30 s is before 1 / 25 s
        (7, 30, 25, 6),  # 6 / 30 s are 5 / 25 s exactly
        (30, 30, 25, 25),
        (31, 30, 25, 26),
        (751, 25, 25, 751),
        (6, 25, 30, 7),
        (20_000, 30, 25, 16_666),  # 19,999 / 30 * 25 = 16,665.8
    ],
)
def test_frames_from_the_first_to_the_last(frames, rate, other, expected):
    assert frames_at(frames, rate, other) == expected


def test_coefficients_are_linear_in_time():
    """A ramp that says its own time in seconds says so at any rate."""
    ramp = np.repeat(np.arange(61)[:, None] / 30, 58, axis=1).astype(np.float32)
    made = coeffs_at(ramp, 30)
    assert made.shape == (51, 58)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, np.repeat(np.arange(51)[:, None] / 25, 58, axis=1), atol=1e-6)


def test_an_angle_goes_the_shorter_way():
    """From just below a half turn to just above it, however it is written."""
    rows = np.zeros((3, 58), np.float32)
    rows[:, 52] = 3.1, 3.2 - TURN, 3.3 - TURN
    made = coeffs_at(rows, 20, 40)[:, 52]
    np.testing.assert_allclose(made, [3.1, 3.15, 3.2, 3.25, 3.3], atol=1e-6)


def test_action_units_are_the_nearer_frames_and_the_rest_is_between():
    rows = np.zeros((7, 25), np.float32)
    rows[3, :15] = 1  # at 0.1 s; frames of 25 a second stand at 0.08 s and 0.12 s
    rows[:, 15:] = np.arange(7)[:, None]
    made = emotion_at(rows, 30)
    assert made[:, 0].tolist() == [0, 0, 0, 0, 0, 0]
    rows[2, :15] = 1  # at 0.067 s, nearer to 0.08 s than 0.1 s is
    made = emotion_at(rows, 30)
    assert made[:, 0].tolist() == [0, 0, 1, 0, 0, 0]
    np.testing.assert_allclose(made[:, 15], np.arange(6) * 1.2, atol=1e-6)


def test_there_and_back_is_nearly_the_same():
    time = np.arange(90)[:, None] / 30
    rows = np.sin(time * np.linspace(0.5, 3, 58)).astype(np.float32)
    back = coeffs_at(coeffs_at(rows, 30), 25, 30, 90)
    assert back.shape == rows.shape
    assert np.abs(back - rows)[:87].max() < 0.01
    np.testing.assert_allclose(back[-1], coeffs_at(rows, 30)[-1], atol=0.02)  # it goes on


def test_samples_are_resampled_each():
    rows = np.random.default_rng(0).uniform(0, 1, (3, 20, 25)).astype(np.float32)
    made = emotion_at(rows, 25, 30, 24)
    assert made.shape == (3, 24, 25)
    for sample in range(3):
        np.testing.assert_array_equal(made[sample], emotion_at(rows[sample], 25, 30, 24))


def test_what_has_the_rate_already_is_left_alone():
    rows = np.random.default_rng(0).normal(size=(10, 58)).astype(np.float32)
    assert coeffs_at(rows, 25) is rows
    assert coeffs_at(rows, 25, 25, 8) is not rows
