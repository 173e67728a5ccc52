"""Each score on cases that can be computed by hand, and what must not change it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.frc import concordance
from jaxreact.metrics.frsyn import lagged_correlation
from jaxreact.metrics.warping.dtw import BLOCKS, dtw


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def smooth(*shape, seed=0, width=9):
    """Noise averaged over `width` frames: the axis before the last is time."""
    values = noise(*shape[:-2], shape[-2] + width - 1, shape[-1], seed=seed)
    windows = np.lib.stride_tricks.sliding_window_view(values, width, axis=-2)
    return windows.mean(axis=-1, dtype=np.float32)


def case(clips=3, samples=2, frames=60):
    return (
        smooth(clips, samples, frames, 25),
        smooth(clips, frames, 25, seed=1),
        smooth(clips, frames, 25, seed=2),
        np.eye(clips) + np.eye(clips, k=1),
    )


def test_uniform_noise_has_closed_forms():
    predictions = noise(20, 10, 400, 25)
    assert metrics.frvar(predictions) == pytest.approx(1 / 12, rel=5e-3)
    assert metrics.frdiv(predictions) == pytest.approx(1 / 6, rel=5e-3)
    assert metrics.frdvs(predictions) == pytest.approx(1 / 6, rel=5e-3)


def test_diversity_by_the_sums_of_their_definitions():
    p = noise(4, 3, 20, 25).astype(np.float64)
    clips, samples, frames, channels = p.shape
    between = sum(((p[n] - p[m]) ** 2).sum() for n in range(clips) for m in range(clips))
    within = sum(((p[:, a] - p[:, b]) ** 2).sum() for a in range(samples) for b in range(samples))
    size = frames * channels
    expected = between / (clips * (clips - 1) * samples * size)
    assert metrics.frdvs(p) == pytest.approx(expected, rel=1e-6)
    expected = within / (samples * (samples - 1) * clips * size)
    assert metrics.frdiv(p) == pytest.approx(expected, rel=1e-6)


def test_variance_is_unbiased():
    predictions = np.zeros((1, 1, 2, 25))
    predictions[:, :, 1] = 1  # two frames one apart: 0.5 unbiased, 0.25 biased
    assert metrics.frvar(predictions) == pytest.approx(0.5)


def test_identical_predictions_do_not_vary():
    same = np.broadcast_to(smooth(1, 1, 30, 25), (4, 3, 30, 25))
    assert metrics.frdiv(same) == metrics.frdvs(same) == 0.0
    assert metrics.frvar(np.full((2, 2, 30, 25), 0.1, np.float32)) == 0.0


def test_one_sample_and_one_clip():
    predictions = smooth(1, 1, 30, 25)
    assert metrics.frdiv(predictions) == metrics.frdiv(predictions, "original") == 0.0
    assert metrics.frdvs(predictions) == 0.0
    assert math.isnan(metrics.frdvs(predictions, "original"))


def test_ground_truth_scores_k_and_zero():
    predictions, listener, _, neighbours = case()
    truth = metrics.baseline("gt", listener, listener, samples=10)
    assert metrics.frc(truth, listener, neighbours) == pytest.approx(10, rel=1e-4)
    assert metrics.frd(truth, listener, neighbours) == 0.0
    assert metrics.frd(predictions, listener, neighbours) > 1


def test_constant_channel_scores_zero_against_itself():
    sequence = smooth(1, 60, 25)
    sequence[:, :, 3] = 0.7
    assert concordance(sequence, sequence)[0, 0] == pytest.approx(24 / 25, rel=1e-4)


def test_concordance_by_hand():
    """y = 0, 1 and p = 0, 2: r = 1, s = 1/2 and 1, m = 1/2 and 1 -> 1 / (1/4 + 1 + 1/4)."""
    one = np.zeros((1, 2, 25))
    one[:, 1] = 1
    assert concordance(one, 2 * one)[0, 0] == pytest.approx(2 / 3)


def test_best_neighbour_counts_for_each_sample():
    listener = smooth(3, 60, 25)
    predictions = np.stack([listener[[0, 0, 0]], listener[[1, 1, 1]]], axis=1)
    neighbours = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    only_own = metrics.frd(predictions, listener, np.eye(3))
    assert metrics.frd(predictions[:2], listener[:2], neighbours[:2]) == 0.0
    assert metrics.frc(predictions[:2], listener[:2], neighbours[:2]) == pytest.approx(2, rel=1e-4)
    assert metrics.frd(predictions, listener, neighbours) < only_own


def test_clips_without_neighbours():
    predictions, listener, _, _ = case()
    neighbours = np.zeros((3, 5))
    neighbours[0, 0] = neighbours[1, 4] = neighbours[2, 2] = 1  # clip 1: beyond the clips at hand
    neighbours[2, 1] = 0.5  # only entries that are exactly 1 count
    for score in (metrics.frc, metrics.frd):
        corrected = score(predictions, listener, neighbours)
        original = score(predictions, listener, neighbours, "original")
        assert original == pytest.approx(corrected * 2 / 3)
        with pytest.raises(UserError, match="no clip has a neighbour"):
            score(predictions, listener, np.zeros((3, 3)))
        assert score(predictions, listener, np.zeros((3, 3)), "original") == 0.0


def reference_dtw(one, other):
    costs = np.square(one[:, None].astype(np.float64) - other[None]).sum(-1)
    total = np.full((len(one) + 1, len(other) + 1), np.inf)
    total[0, 0] = 0
    for i, j in np.ndindex(*costs.shape):
        total[i + 1, j + 1] = costs[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return math.sqrt(total[-1, -1])


@pytest.mark.parametrize("lengths", [(40, 40), (13, 29), (29, 13), (1, 5), (5, 1)])
def test_dtw_against_the_textbook_recurrence(lengths):
    one, other = noise(3, lengths[0], 25), noise(3, lengths[1], 25, seed=1)
    expected = [
        [reference_dtw(x[:, slice(*b)], y[:, slice(*b)]) for x, y in zip(one, other, strict=True)]
        for b in BLOCKS
    ]
    np.testing.assert_allclose(dtw(one, other), expected, rtol=2e-6)


def test_dtw_forgives_a_shift_and_a_pause():
    one = np.zeros((1, 30, 25), np.float32)
    one[:, 10] = 1
    other = np.roll(one, 7, axis=1)
    assert not np.any(dtw(one, other))
    np.testing.assert_allclose(dtw(one, 0 * one)[:, 0], np.sqrt([15, 2, 8]), rtol=1e-6)


@pytest.mark.parametrize("lag", [-20, 0, 7, 49])
def test_synchrony_finds_the_lag(lag):
    speaker = smooth(2, 300, 25, width=3)
    predictions = np.roll(speaker, lag, axis=1)[:, None].repeat(2, axis=1)
    assert metrics.frsyn(predictions, speaker) == abs(lag)
    assert metrics.frsyn(predictions, speaker, "original") == abs(lag)


def test_lagged_correlation_against_numpy():
    samples, other = smooth(1, 80, 25), smooth(80, 25, seed=1)
    r = lagged_correlation(samples, other)
    for lag in (-49, -3, 0, 12, 49):
        x = samples[0, max(lag, 0) : 80 + min(lag, 0)]
        y = other[max(-lag, 0) : 80 - max(lag, 0)]
        expected = [np.corrcoef(x[:, c], y[:, c])[0, 1] for c in range(25)]
        np.testing.assert_allclose(r[0, lag + 49], expected, atol=1e-10)


def test_synchrony_with_constant_channels():
    speaker = smooth(2, 300, 25, width=3)
    predictions = np.roll(speaker, 7, axis=1)[:, None].copy()
    predictions[..., 4] = 0.3
    assert metrics.frsyn(predictions, speaker) == 7
    assert metrics.frsyn(predictions, speaker, "original") == 49
    predictions[..., :10, 5] = predictions[..., 10:, 6] = 0.3  # still within some windows only
    assert metrics.frsyn(predictions, speaker) == 7


def test_motionless_clips_have_no_synchrony():
    speaker = smooth(2, 300, 25, width=3)
    predictions = np.roll(speaker, 7, axis=1)[:, None].copy()
    predictions[0] = 0.1
    assert metrics.frsyn(predictions, speaker) == 7
    counts = metrics.clipwise(predictions, predictions[:, 0], speaker, np.eye(2)).count()
    assert counts["samples_without_synchrony"] == 1
    assert math.isnan(metrics.frsyn(np.full_like(predictions, 0.1), speaker))


def test_synchrony_of_later_samples_counts_in_the_corrected_mode_only():
    speaker = smooth(2, 300, 25, width=3)
    shifts = [np.roll(speaker, lag, axis=1) for lag in (4, 10)]
    predictions = np.stack(shifts, axis=1)
    assert metrics.frsyn(predictions, speaker) == 7
    assert metrics.frsyn(predictions, speaker, "original") == 4


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(3)), st.permutations(range(2)))
def test_order_of_clips_and_of_samples_does_not_matter(clips, samples):
    predictions, listener, speaker, neighbours = case()
    expected = metrics.evaluate(predictions, listener, speaker, neighbours)
    moved = metrics.evaluate(
        predictions[np.ix_(clips, samples)],
        listener[clips],
        speaker[clips],
        neighbours[np.ix_(clips, clips)],
    )
    assert moved == pytest.approx(expected, rel=1e-6)
