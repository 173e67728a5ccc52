"""The scores clip by clip: their means are the scores, and what must not matter does not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.frdvs import distances_between_clips
from tests.metrics.test_scores import case, noise, smooth


@pytest.mark.parametrize("mode", metrics.MODES)
def test_means_over_clips_are_the_scores(mode):
    predictions, listener, speaker, neighbours = case()
    neighbours[1] = 0
    scores = metrics.clipwise(predictions, listener, speaker, neighbours, mode)
    alone = {
        "FRC": metrics.frc(predictions, listener, neighbours, mode),
        "FRD": metrics.frd(predictions, listener, neighbours, mode),
        "FRDvs": metrics.frdvs(predictions, mode),
        "FRVar": metrics.frvar(predictions, mode),
        "FRDiv": metrics.frdiv(predictions, mode),
        "FRSyn": metrics.frsyn(predictions, speaker, mode),
        "Jitter": metrics.jitter(predictions, listener),
        "Seams": metrics.seams(predictions),
    }
    assert metrics.aggregate(scores) == alone
    assert metrics.evaluate(predictions, listener, speaker, neighbours, mode) == alone
    means = {name: np.average(*values) for name, values in weighted(scores).items()}
    assert means == pytest.approx(alone, rel=1e-12)


def weighted(scores):
    return {
        name: (np.nan_to_num(parts.values), None, parts.weights)
        for name, parts in scores.parts.items()
    }


def test_each_clips_part_by_hand():
    """The first clip alone, scored with all listeners at hand, has the first clip's values."""
    predictions, listener, speaker, neighbours = case()
    scores = metrics.clipwise(predictions, listener, speaker, neighbours)
    for clip in range(3):
        only = np.zeros_like(neighbours)
        only[clip] = neighbours[clip]
        assert scores["FRC"].values[clip] == metrics.frc(predictions, listener, only)
        assert scores["FRD"].values[clip] == metrics.frd(predictions, listener, only)
        assert scores["FRVar"].values[clip] == metrics.frvar(predictions[clip : clip + 1])
        assert scores["FRDiv"].values[clip] == metrics.frdiv(predictions[clip : clip + 1])
        one = slice(clip, clip + 1)
        assert scores["FRSyn"].values[clip] == metrics.frsyn(predictions[one], speaker[one])


def test_clips_that_take_no_part():
    predictions, listener, speaker, neighbours = case()
    neighbours[1] = 0
    predictions[2] = 0.4
    scores = metrics.clipwise(predictions, listener, speaker, neighbours)
    np.testing.assert_array_equal(np.isnan(scores["FRC"].values), [False, True, False])
    np.testing.assert_array_equal(np.isnan(scores["FRD"].values), [False, True, False])
    np.testing.assert_array_equal(np.isnan(scores["FRSyn"].values), [False, False, True])
    np.testing.assert_array_equal(scores["FRSyn"].weights, [2, 2, 0])
    clips, samples, frames, _ = predictions.shape
    assert scores.count() == {
        "clips": clips,
        "samples": samples,
        "frames": frames,
        "clips_without_neighbours": 1,
        "samples_without_synchrony": 2,
    }
    original = metrics.clipwise(predictions, listener, speaker, neighbours, "original")
    assert original["FRC"].values[1] == original["FRD"].values[1] == 0.0
    assert original["FRSyn"].values[2] == 49


def test_synchrony_is_weighted_by_the_samples_that_move():
    speaker = smooth(2, 300, 25, width=3)
    predictions = np.stack([np.roll(speaker, lag, axis=1) for lag in (4, 10)], axis=1)
    predictions[1, 1] = 0.2
    scores = metrics.clipwise(predictions, speaker, speaker, np.eye(2))
    np.testing.assert_array_equal(scores["FRSyn"].values, [7, 4])
    assert metrics.aggregate(scores)["FRSyn"] == (4 + 10 + 4) / 3
    assert np.average(*weighted(scores)["FRSyn"]) == (4 + 10 + 4) / 3


@pytest.mark.parametrize("scale", [1.0, 1e-4])
@pytest.mark.parametrize("chunk", [1 << 26, 8 * 40 * 7])
def test_distances_are_those_of_the_definition(scale, chunk):
    """Also where clips differ little from a face far from zero, and in many small products."""
    predictions = (100 + scale * noise(40, 2, 5, 25)).astype(np.float32)
    wide = predictions.astype(np.float64)
    expected = np.square(wide[:, None] - wide).mean(axis=(2, 3, 4))
    found = distances_between_clips(predictions, chunk)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)
    assert (found >= 0).all()
    assert metrics.frdvs(predictions) == pytest.approx(expected.sum() / (40 * 39), rel=1e-9)


def test_equal_clips_have_no_distance():
    same = np.broadcast_to(noise(1, 2, 30, 25), (50, 2, 30, 25))
    np.testing.assert_array_equal(distances_between_clips(same), np.zeros((50, 50)))


def test_repeated_is_the_score_of_copies():
    predictions, listener, speaker, neighbours = case(samples=1)
    one = metrics.clipwise(predictions, listener, speaker, neighbours)
    copies = metrics.evaluate(np.repeat(predictions, 4, axis=1), listener, speaker, neighbours)
    assert one.repeated(4).count()["samples_without_synchrony"] == 0
    assert metrics.aggregate(one.repeated(4)) == pytest.approx(copies, rel=1e-6, abs=1e-12)


def test_one_clip_of_one_sample():
    scores = metrics.clipwise(*case(clips=1, samples=1)[:3], np.eye(1))
    found = metrics.aggregate(scores)
    assert found["FRDiv"] == found["FRDvs"] == 0.0
    assert math.isnan(scores["FRDvs"].values[0])
    assert math.isfinite(found["FRSyn"])


def test_no_clip_with_neighbours_is_refused_before_anything_is_computed():
    predictions, listener, speaker, _ = case()
    with pytest.raises(UserError, match="no clip has a neighbour"):
        metrics.clipwise(predictions, listener, speaker, np.zeros((3, 3)))
    scores = metrics.clipwise(predictions, listener, speaker, np.zeros((3, 3)), "original")
    assert metrics.aggregate(scores)["FRC"] == metrics.aggregate(scores)["FRD"] == 0.0


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(4)), st.permutations(range(2)), st.permutations(range(5)))
def test_order_of_clips_samples_and_further_columns_does_not_matter(clips, samples, columns):
    """Rows of the matrix move with the clips; columns beyond the clips never count."""
    predictions, listener, speaker, neighbours = case(clips=4)
    predictions[0, 1, :, 3] = 0.5  # a constant channel
    neighbours[2] = 0
    wide = np.concatenate([neighbours[np.ix_(clips, clips)], np.ones((4, 5))[:, columns]], axis=1)
    expected = metrics.clipwise(predictions, listener, speaker, neighbours)
    moved = metrics.clipwise(
        predictions[np.ix_(clips, samples)], listener[clips], speaker[clips], wide
    )
    for name in expected.parts:
        np.testing.assert_allclose(
            moved[name].values, expected[name].values[clips], rtol=1e-6, atol=1e-12
        )
    distances = expected["FRDvs"].distances[np.ix_(clips, clips)]  # pyright: ignore
    np.testing.assert_allclose(moved["FRDvs"].distances, distances, rtol=1e-9)  # pyright: ignore
