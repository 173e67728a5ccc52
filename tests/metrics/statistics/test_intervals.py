"""Intervals: they hold the score, repeat, follow the groups, and cover what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.parts import ClipDistances
from jaxreact.metrics.statistics.bootstrap import (
    Mean,
    PairMean,
    draw,
    exchanges,
    numbered,
)
from jaxreact.metrics.statistics.intervals import bounds
from tests.metrics.scores_by_hand import changed, clip_scores


def scores_of(clips, seed=0, **given):
    rng = np.random.default_rng(seed)
    return clip_scores(rng.normal(size=(clips, 6)), rng, **given)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 20), st.integers(0, 1000), st.integers(1, 6))
def test_an_interval_holds_its_score(clips, seed, labels):
    scores = scores_of(clips, seed)
    groups = np.random.default_rng(seed).integers(0, labels, clips)
    for one in (None, groups):
        for name, found in metrics.intervals(scores, groups=one, resamples=200).items():
            assert found.value == metrics.aggregate(scores)[name]
            assert math.isnan(found.low) or found.low <= found.value <= found.high


def test_seeds_reproduce():
    scores = scores_of(12)
    first = metrics.intervals(scores, seed=3)
    assert metrics.intervals(scores, seed=3) == first
    assert metrics.intervals(scores, seed=4) != first


def test_a_mean_of_noise_has_students_interval():
    """Ten values without skew: the mean plus or minus t times the standard error."""
    values = 5 + np.array([-1.5, -1.0, -0.6, -0.3, -0.1, 0.1, 0.3, 0.6, 1.0, 1.5])
    found = metrics.intervals(scores_of(10, FRC=values), resamples=50_000)["FRC"]
    half = 2.262 * values.std(ddof=1) / np.sqrt(10)
    assert found.groups == 10
    assert found.low == pytest.approx(5 - half, abs=0.04 * half)
    assert found.high == pytest.approx(5 + half, abs=0.04 * half)


def test_a_higher_level_is_wider():
    scores = scores_of(30)
    usual, sure = (metrics.intervals(scores, level=level) for level in (0.8, 0.99))
    for name in sure:
        assert sure[name].low < usual[name].low < usual[name].high < sure[name].high


def test_constant_scores_have_no_width():
    found = metrics.intervals(scores_of(8, FRD=np.full(8, 3.3)))["FRD"]
    assert found.low == pytest.approx(3.3)
    assert found.high == pytest.approx(3.3)


def test_skewed_scores_have_skewed_intervals():
    found = metrics.intervals(scores_of(40, FRD=np.random.default_rng(0).lognormal(0, 1, 40)))
    assert found["FRD"].high - found["FRD"].value > 1.2 * (found["FRD"].value - found["FRD"].low)


def test_copies_of_clips_do_not_make_it_surer():
    """Four copies of each clip, as groups, tell no more than one; as clips, they pretend to."""
    scores = scores_of(15)
    names = ("FRC", "FRD", "FRVar", "FRDiv")
    copied = changed(scores_of(60), **{name: np.repeat(scores[name].values, 4) for name in names})
    labels = np.repeat([f"NoXI/{index:02}" for index in range(15)], 4)
    single, grouped, pretended = (
        metrics.intervals(scores),
        metrics.intervals(copied, groups=labels),
        metrics.intervals(copied),
    )
    for name in names:
        width = grouped[name].high - grouped[name].low
        assert width == pytest.approx(single[name].high - single[name].low, rel=1e-6)
        assert width > 1.6 * (pretended[name].high - pretended[name].low)


def test_pairs_of_a_clip_with_its_copy_are_left_out():
    """Three clips at the corners of a triangle: whatever is drawn, pairs are of side 1."""
    statistic = PairMean(1.0 - np.eye(3), np.ones(3))
    drawn = statistic(draw(3, 200, np.random.default_rng(0)))
    np.testing.assert_allclose(drawn[np.isfinite(drawn)], 1.0)
    assert np.isnan(statistic(np.array([[3.0, 0.0, 0.0]]))).all()


def test_pairs_by_their_definition():
    """Copies of a group of clips pair within themselves and with other groups, not each other."""
    scores = scores_of(5)
    number = np.array([0, 0, 1, 1, 2])
    parts = scores["FRDvs"]
    assert isinstance(parts, ClipDistances)
    statistic = parts.statistic(number)
    counts = np.array([[2.0, 1.0, 0.0]])
    copies = [(0, 0), (0, 1), (1, 0)]  # (group, copy)
    clips = [(clip, copy) for copy in copies for clip in np.flatnonzero(number == copy[0])]
    pairs = [
        parts.distances[one, other]
        for one, from_one in clips
        for other, from_other in clips
        if one != other and (from_one == from_other or from_one[0] != from_other[0])
    ]
    assert statistic(counts)[0] == pytest.approx(np.mean(pairs))
    assert statistic(np.ones((1, 3)))[0] == pytest.approx(metrics.aggregate(scores)["FRDvs"])


def test_clips_that_take_no_part_do_not_count():
    rng = np.random.default_rng(0)
    values = rng.gamma(2, 1, 20)
    values[5:] = np.nan
    found = metrics.intervals(scores_of(20, FRD=values))["FRD"]
    assert found.groups == 5
    assert found.value == pytest.approx(values[:5].mean())
    assert found.low < found.value < found.high


def test_too_few_groups_have_no_interval():
    one, two = scores_of(1), scores_of(2)
    assert all(math.isnan(found.low) for found in metrics.intervals(one).values())
    found = metrics.intervals(two)
    assert math.isnan(found["FRDvs"].low)
    assert found["FRC"].low < found["FRC"].value < found["FRC"].high
    same = metrics.intervals(scores_of(6), groups=["NoXI/1"] * 6)
    assert all(math.isnan(found.high) for found in same.values())


def test_undefined_scores_have_no_interval():
    still = scores_of(6, FRSyn=np.full(6, np.nan), FRSyn_samples=np.zeros(6))
    found = metrics.intervals(still)["FRSyn"]
    assert math.isnan(found.value)
    assert math.isnan(found.low)


def coverage(statistic_and_truth, groups, data_sets, seed=0):
    """The share of simulated data sets whose 95 % interval holds the true value."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(data_sets):
        statistic, truth = statistic_and_truth(rng)
        value = float(statistic(np.ones((1, groups)))[0])
        low, high = bounds(statistic, draw(groups, 500, rng), value, 0.95)
        hits += low <= truth <= high
    return hits / data_sets


def test_coverage_of_a_weighted_mean_over_few_conversations():
    """Twelve conversations, skewed, some with more samples than others: plain percentiles 88 %."""

    def simulated(rng):
        weights = rng.integers(1, 11, 12).astype(float)
        return Mean(49 * rng.beta(0.5, 1, 12) * weights, weights), 49 / 3

    assert 0.91 < coverage(simulated, 12, 500) < 0.98


def test_coverage_of_pairs_over_few_conversations():
    """Twelve conversations of four clips that resemble each other: plain percentiles 89 %."""

    def simulated(rng):
        own, shared = 0.7 * rng.normal(size=(48, 6)), np.repeat(rng.normal(size=(12, 6)), 4, axis=0)
        scores = clip_scores(own + shared, rng)
        within = 3 / 47  # of the other clips, those of the same conversation
        truth = within * 2 * 0.49 + (1 - within) * 2 * 1.49
        return scores["FRDvs"].statistic(np.repeat(np.arange(12), 4)), truth

    assert 0.91 < coverage(simulated, 12, 500) < 0.98


def test_exchanges_are_all_ways_or_random_ones():
    few = exchanges(3, 100, np.random.default_rng(0))
    assert {tuple(row) for row in few} == set(np.ndindex(2, 2, 2))
    many = exchanges(40, 100, np.random.default_rng(0))
    assert many.shape == (100, 40)
    assert not few[0].any()
    assert not many[0].any()
    assert 0.4 < many[1:].mean() < 0.6


def test_labels_and_numbers_that_do_not_fit():
    scores = scores_of(4)
    with pytest.raises(UserError, match="groups: 3 labels for 4 clips"):
        metrics.intervals(scores, groups=["a", "b", "c"])
    with pytest.raises(UserError, match="resamples: 10 are too few"):
        metrics.intervals(scores, resamples=10)
    with pytest.raises(UserError, match=r"level: 95.0 is not between 0 and 1"):
        metrics.intervals(scores, level=95.0)
    np.testing.assert_array_equal(numbered(["b", "a", "b"], 3), [1, 0, 1])


def test_ties_lie_half_below():
    """Of scores that take two values, half of whose resamples are ties, none is off centre."""
    values = np.array([0.0] * 10 + [1.0] * 10)
    found = metrics.intervals(scores_of(20, FRC=values), resamples=20_000)["FRC"]
    assert found.value == 0.5
    assert found.low + found.high == pytest.approx(1.0, abs=0.03)
