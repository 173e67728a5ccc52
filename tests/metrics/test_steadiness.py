"""Jitter and seams on signals whose ratios can be computed by hand."""

import math

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.steps import movement
from tests.metrics.test_scores import noise, smooth


def faces_of(predicted, listener) -> metrics.Faces:
    return metrics.Faces(predicted, listener, np.zeros_like(listener))


def walks(steps: np.ndarray, channels: int) -> np.ndarray:
    """Signals of all channels alike that make these steps from 0 on: (..., steps + 1, channels)."""
    track = np.concatenate([np.zeros_like(steps[..., :1]), np.cumsum(steps, axis=-1)], axis=-1)
    return np.repeat(track[..., None], channels, axis=-1).astype(np.float32)


def test_jitter_by_hand():
    """2 on average against 1, and 2 against 2: together 4 to 3, not the mean of the ratios."""
    listener = walks(np.array([[1.0, 1.0], [2.0, 2.0]]), 25)
    predicted = walks(np.array([[[1.0, -1.0], [3.0, 3.0]], [[2.0, 2.0], [-2.0, 2.0]]]), 25)
    assert metrics.jitter(predicted, listener) == pytest.approx((2 + 2) / (1 + 2))
    parts = metrics.clipwise(predicted, listener, listener, np.eye(2))["Jitter"]
    np.testing.assert_allclose(parts.values, [2.0, 1.0])
    np.testing.assert_allclose(parts.weights, [1.0, 2.0])


def test_a_copy_of_the_truth_is_as_steady_as_it_and_noise_is_not():
    listener, speaker = smooth(5, 90, 25, width=30), smooth(5, 90, 58, width=30)
    assert metrics.jitter(listener[:, None], listener) == 1.0
    assert metrics.face_jitter(faces_of(speaker[:, None], speaker)) == 1.0
    copies = np.repeat(listener[:, None], 3, axis=1)
    assert metrics.jitter(copies, listener) == pytest.approx(1.0, rel=1e-12)
    assert metrics.jitter(noise(5, 2, 90, 25), listener) > 10
    assert metrics.face_jitter(faces_of(noise(5, 2, 90, 58), speaker)) > 10
    still = np.broadcast_to(listener[:, None, :1], (5, 2, 90, 25))
    assert metrics.jitter(still, listener) == 0.0
    assert math.isnan(metrics.jitter(listener[:, None], still[:, 0]))


def test_each_coefficient_counts_in_units_of_how_people_move_it():
    """A head that trembles by a thousandth of its turns is as steady as a mouth that does so."""
    listener = smooth(4, 80, 58).astype(np.float64)
    scales = np.geomspace(1, 20, 58)
    wide = listener * scales
    np.testing.assert_allclose(movement(wide), scales * movement(listener), rtol=1e-9)
    trembling = noise(4, 1, 80, 58).astype(np.float64)
    expected = metrics.face_jitter(faces_of(trembling, listener))
    found = metrics.face_jitter(faces_of(trembling * scales, wide))
    assert found == pytest.approx(expected, rel=1e-6)


def test_how_somebody_sits_is_no_motion_and_a_still_channel_decides_nothing():
    listener = smooth(4, 80, 58).astype(np.float64)
    moved = listener + 10 * np.arange(4)[:, None, None]
    np.testing.assert_allclose(movement(moved), movement(listener), rtol=1e-9)
    listener[..., 3] = 0.25
    assert movement(listener)[3] == 0.01
    predicted = listener[:, None].copy()
    predicted[..., 3] += 1e-4 * noise(4, 1, 80)
    assert metrics.face_jitter(faces_of(predicted, listener)) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("period", "expected"), [(2, 4 / 2), (3, 4 / (8 / 3)), (4, 4 / (8 / 3))])
def test_seams_by_hand(period, expected):
    """Frames 0 to 4, whose steps to the frames 1 to 4 are 2, 4, 2, 4."""
    steps = {2: [2, 4, 2, 4], 3: [2, 2, 4, 4], 4: [2, 4, 2, 4]}[period]
    predicted = walks(np.array([[steps]], float), 25)
    assert metrics.seams(predicted, period) == pytest.approx(expected)


def test_what_knows_of_no_borders_has_seams_of_about_one():
    assert metrics.seams(noise(20, 2, 200, 25)) == pytest.approx(1.0, abs=0.02)
    assert metrics.seams(smooth(20, 2, 200, 25)) == pytest.approx(1.0, abs=0.1)
    face = smooth(20, 2, 200, 58)
    assert metrics.face_seams(faces_of(face, face[:, 0])) == pytest.approx(1.0, abs=0.1)


def test_blocks_that_do_not_meet_have_seams_at_their_own_period_only():
    blocks = smooth(10, 1, 192, 25, width=30) + np.repeat(noise(10, 1, 12, 25), 16, axis=2)
    assert metrics.seams(blocks, 16) > 10
    assert metrics.seams(blocks[:, :, 8:], 16) < 0.5  # all its jumps are elsewhere
    coeffs = np.repeat(blocks, 3, axis=-1)[..., :58]
    assert metrics.face_seams(faces_of(coeffs, coeffs[:, 0]), 16) > 10


def test_where_there_are_no_seams_to_be_seen():
    constant = np.repeat(noise(3, 1, 4, 25), 32, axis=2)  # it moves at borders alone
    still = np.zeros((3, 1, 128, 25))
    for predicted in (constant, still, noise(3, 1, 32, 25)):
        assert math.isnan(metrics.seams(predicted))
        truth = np.zeros((3, *predicted.shape[2:]))
        found = metrics.clipwise(predicted, truth, truth, np.eye(3))["Seams"]
        assert np.isnan(found.values).all()
        assert not found.weights.any()
    assert math.isfinite(metrics.seams(noise(3, 1, 33, 25)))
    one_moves = np.concatenate([constant, smooth(1, 1, 128, 25)])
    assert metrics.seams(one_moves) > metrics.seams(smooth(1, 1, 128, 25))


def test_what_must_not_matter():
    """Order of clips and samples, how often there is a sample, and an added pose."""
    predicted, listener = smooth(4, 2, 70, 25), smooth(4, 70, 25, seed=1)
    for score in (lambda p: metrics.jitter(p, listener), lambda p: metrics.seams(p, 10)):
        expected = score(predicted)
        assert score(predicted[:, ::-1]) == pytest.approx(expected, rel=1e-9)
        assert score(np.repeat(predicted, 3, axis=1)) == pytest.approx(expected, rel=1e-9)
        assert score(predicted + 3) == pytest.approx(expected, rel=1e-4)  # float32
    assert metrics.seams(predicted[::-1], 10) == pytest.approx(metrics.seams(predicted, 10))


@pytest.mark.parametrize("period", [1, 0, -32])
def test_a_period_needs_frames_between_its_borders(period):
    face, emotion = smooth(2, 40, 58), smooth(2, 40, 25)
    reactions = emotion[:, None]
    for score in (
        lambda: metrics.seams(reactions, period),
        lambda: metrics.face_seams(faces_of(face[:, None], face), period),
        lambda: metrics.evaluate(reactions, emotion, emotion, np.eye(2), period=period),
    ):
        with pytest.raises(UserError, match=f"period: {period} leaves no frame between"):
            score()
