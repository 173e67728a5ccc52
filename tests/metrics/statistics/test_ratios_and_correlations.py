"""Scores that are no means of clips: what is drawn and exchanged are the sums that make them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxreact import metrics
from jaxreact.metrics.correlations import ClipCorrelations, pooled
from jaxreact.metrics.parts import ClipRatios, Parts
from jaxreact.metrics.score import Score
from tests.metrics.scores_by_hand import clip_scores


def products(clips: int, rng: np.random.Generator, follows: float = 0.5) -> np.ndarray:
    """Sums of products at two lags, of signals of 40 frames that are alike at the second."""
    one = rng.normal(size=(clips, 40))
    other = follows * one + rng.normal(size=(clips, 40))
    at_lags = [(np.roll(one, 7, axis=1), other), (one, other)]
    sums = [[(a * b).sum(1), (a * a).sum(1), (b * b).sum(1)] for a, b in at_lags]
    return np.array(sums).transpose(2, 1, 0)


def ratios(clips: int, rng: np.random.Generator) -> ClipRatios:
    below = rng.gamma(2.0, 1.0, clips)
    return ClipRatios(below * rng.gamma(9.0, 0.2, clips), below)


def scores_of(**parts: Parts) -> metrics.ClipScores:
    clips = len(next(iter(parts.values())).values)
    scores = tuple(
        Score(name, lambda _: pytest.fail("made by hand"), "", family="ours") for name in parts
    )
    made = clip_scores(np.zeros((clips, 2)), np.random.default_rng(0))
    return dataclasses.replace(made, scores=scores, parts=parts)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 20), st.integers(0, 1000), st.integers(1, 6))
def test_an_interval_holds_its_score(clips, seed, labels):
    rng = np.random.default_rng(seed)
    scores = scores_of(ratio=ratios(clips, rng), smiles=ClipCorrelations(products(clips, rng)))
    for groups in (None, rng.integers(0, labels, clips)):
        for name, found in metrics.intervals(scores, groups=groups, resamples=100).items():
            assert found.value == metrics.aggregate(scores)[name]
            assert np.isnan(found.low) or found.low <= found.value <= found.high


@pytest.mark.parametrize("kind", ["ratio", "correlation"])
def test_a_resample_is_the_score_of_the_clips_that_were_drawn(kind):
    """Groups of two clips; one is drawn twice, one not at all."""
    rng = np.random.default_rng(1)
    number, counts = np.array([0, 0, 1, 1, 2, 2]), np.array([[2.0, 0.0, 1.0]])
    drawn = [0, 1, 0, 1, 4, 5]
    if kind == "ratio":
        parts = ratios(6, rng)
        again = ClipRatios(parts.numerators[drawn], parts.denominators[drawn])
    else:
        parts = ClipCorrelations(products(6, rng))
        again = ClipCorrelations(parts.products[drawn])
    statistic = parts.statistic(number)
    assert statistic(counts)[0] == pytest.approx(again.total)
    assert statistic(np.ones((1, 3)))[0] == pytest.approx(parts.total)
    assert statistic.groups == 3
    assert parts.of_sums(counts @ parts.sums(number))[0] == pytest.approx(again.total)


def test_the_lag_is_sought_anew_in_every_resample():
    """Two clips that are best at different lags: each alone has 1, both together less."""
    alike = np.array([[[1.0, 0.1], [1.0, 1.0], [1.0, 1.0]], [[0.1, 0.8], [1.0, 1.0], [1.0, 1.0]]])
    parts = ClipCorrelations(alike)
    np.testing.assert_allclose(
        parts.statistic(np.arange(2))(np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])),
        [1.0, 0.8, 0.55],
    )
    assert parts.total == pytest.approx(0.55)


def test_silent_groups_have_no_say():
    rng = np.random.default_rng(0)
    some = products(6, rng)
    some[3:, 0], some[3:, 1] = 0.0, 0.0  # listeners who never smile
    assert ClipCorrelations(some).statistic(np.arange(6)).groups == 3
    some[:, :2] = 0.0
    nobody = metrics.intervals(scores_of(smiles=ClipCorrelations(some)))["smiles"]
    assert np.isnan([nobody.value, nobody.low, nobody.high]).all()
    assert np.isnan(pooled(some)).all()
    still = ClipRatios(np.ones(5), np.array([0.0, 2.0, 2.0, 0.0, 1.0]))
    found = metrics.intervals(scores_of(ratio=still))["ratio"]
    assert (found.value, found.groups) == (1.0, 3)
    assert found.low < found.value < found.high


def test_what_was_changed_is_found():
    rng = np.random.default_rng(0)
    quiet, alone = ratios(20, rng), ClipCorrelations(products(20, rng, follows=0.0))
    loud = dataclasses.replace(quiet, numerators=1.3 * quiet.numerators)
    one = scores_of(ratio=quiet, smiles=alone)
    assert {each.verdict for each in metrics.compare(one, one).values()} == {"no difference shown"}
    found = metrics.compare(
        one, scores_of(ratio=loud, smiles=ClipCorrelations(products(20, rng, follows=1.0)))
    )
    for each in found.values():
        assert each.verdict == "higher"
        assert 0 < each.low <= each.value <= each.high
        assert each.p_adjusted <= 2 * each.p_value < 0.01
    assert found["ratio"].value == pytest.approx(0.3 * quiet.total)


def test_equal_systems_are_rarely_told_apart():
    rng = np.random.default_rng(0)
    low = 0
    for _ in range(100):
        a, b = (
            scores_of(ratio=ratios(12, rng), smiles=ClipCorrelations(products(12, rng)))
            for _ in range(2)
        )
        low += sum(one.p_value <= 0.05 for one in metrics.compare(a, b, resamples=200).values())
    assert 2 < low < 22  # of 200


def test_families_are_corrected_each_for_itself():
    """The challenge's verdicts do not hang on how many scores of ours there are."""
    rng = np.random.default_rng(0)
    a = clip_scores(rng.normal(size=(12, 4)), rng)
    b = clip_scores(rng.normal(size=(12, 4)), rng)
    ours = scores_of(ratio=ratios(12, rng))
    more_a, more_b = (
        dataclasses.replace(
            one, scores=(*one.scores, *ours.scores), parts={**one.parts, "ratio": ratios(12, rng)}
        )
        for one in (a, b)
    )
    alone, together = metrics.compare(a, b), metrics.compare(more_a, more_b)
    assert together.items() > alone.items()
    assert together["ratio"].p_adjusted == together["ratio"].p_value
