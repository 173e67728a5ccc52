"""Scores of clips of any lengths, beside their definitions as plain loops."""

import numpy as np
import pytest

from jaxreact import metrics
from tests.metrics.ragged.by_hand import (
    best_lag,
    ccc,
    clips,
    spread,
    stretched,
    targets,
    variance,
    warped,
)
from tests.metrics.test_scores import case, smooth

PREDICTED = clips(24, 41, 30)
TARGETS = targets((24, 50), (17,), (30, 31, 29))


def test_frc_is_of_resampled_targets():
    expected = [
        sum(max(ccc(sample, stretched(y, len(sample))) for y in suiting) for sample in clip)
        for clip, suiting in zip(PREDICTED, TARGETS, strict=True)
    ]
    assert metrics.frc(PREDICTED, TARGETS) == pytest.approx(np.mean(expected), rel=1e-5)


def test_the_best_of_many_targets_counts_wherever_it_stands():
    (many,) = targets(tuple(range(20, 60)))
    for place in (0, 20, 39):
        found = metrics.frc([np.stack([many[place]] * 2)], [many])
        assert found == pytest.approx(2 * ccc(many[place], many[place]))


def test_frd_is_of_the_lengths_that_there_are():
    expected = [
        sum(min(warped(sample, y) for y in suiting) for sample in clip)
        for clip, suiting in zip(PREDICTED, TARGETS, strict=True)
    ]
    assert metrics.frd(PREDICTED, TARGETS) == pytest.approx(np.mean(expected), rel=1e-5)


def test_diversity_and_variance_are_means_over_clips():
    assert metrics.frdiv(PREDICTED) == pytest.approx(np.mean([*map(spread, PREDICTED)]), rel=1e-6)
    assert metrics.frvar(PREDICTED) == pytest.approx(np.mean([*map(variance, PREDICTED)]), rel=1e-6)
    assert metrics.frdiv([clip[:1] for clip in PREDICTED]) == 0.0


def test_frdvs_compares_the_frames_that_two_clips_have():
    pairs = [
        ((PREDICTED[a][:, :t].astype(float) - PREDICTED[b][:, :t]) ** 2).mean()
        for a, b, t in ((0, 1, 24), (0, 2, 24), (1, 2, 30))
    ]
    assert metrics.frdvs(PREDICTED) == pytest.approx(np.mean(pairs), rel=1e-6)


@pytest.mark.parametrize("fps", [25, 30])
def test_frsyn_looks_as_far_as_two_seconds_reach(fps):
    """Of 120 frames and more no window is shorter than a second."""
    predicted, speaker = clips(120, 140, samples=2), [smooth(t, 25, seed=9) for t in (121, 133)]
    expected = [
        best_lag(sample, heard, 2 * fps - 1)
        for clip, heard in zip(predicted, speaker, strict=True)
        for sample in clip
    ]
    assert metrics.frsyn(predicted, speaker, fps=fps) == np.mean(expected)


def test_clips_of_one_length_may_have_speakers_of_another():
    predicted, speaker = clips(120, 120, samples=1), [smooth(t, 25, seed=9) for t in (120, 121)]
    cut = np.stack([heard[:120] for heard in speaker])
    expected = metrics.frsyn(np.stack(predicted), cut)
    assert metrics.frsyn(predicted, speaker) == expected
    assert metrics.frsyn(predicted, [*cut]) == expected
    alone = metrics.frsyn([predicted[1]], [speaker[1]])
    assert alone == best_lag(predicted[1][0], speaker[1], 49)


def test_a_delay_is_found_at_thirty_frames_a_second_alone():
    speaker = [smooth(200, 25, width=3), smooth(230, 25, width=3, seed=1)]
    late = [np.roll(each, 55, axis=0)[None] for each in speaker]
    assert metrics.frsyn(late, speaker, fps=30) == 55
    assert metrics.frsyn(late, speaker) < 50
    alike = np.stack([each[0, :200] for each in late])[:, None]
    assert metrics.frsyn(alike, np.stack([each[:200] for each in speaker]), fps=30) == 55


def test_lists_of_one_length_are_what_arrays_are():
    predicted, listener, speaker, neighbours = case()
    suiting = [[listener[j] for j in np.flatnonzero(row)] for row in neighbours]
    of_arrays = metrics.evaluate(predicted, listener, speaker, neighbours)
    of_lists = metrics.evaluate([*predicted], suiting, [*speaker])
    assert list(of_lists) == ["FRC", "FRD", "FRDvs", "FRVar", "FRDiv", "FRSyn"]
    for name in ("FRC", "FRD", "FRVar", "FRDiv", "FRSyn"):
        assert of_lists[name] == of_arrays[name]
    assert of_lists["FRDvs"] == pytest.approx(of_arrays["FRDvs"], rel=1e-12)


def test_without_speakers_there_is_no_frsyn():
    scores = metrics.clipwise(PREDICTED, TARGETS)
    assert "FRSyn" not in scores.parts
    assert scores.frames == (24, 41)
    assert scores.neighbours.tolist() == [2, 1, 3]
    ranges = metrics.intervals(scores, resamples=200)
    assert ranges["FRD"].low < ranges["FRD"].value < ranges["FRD"].high


def test_copies_of_the_truth_are_perfect():
    predicted = [np.stack([suiting[0]] * 2) for suiting in TARGETS]
    found = metrics.evaluate(predicted, TARGETS)
    assert found["FRD"] == found["FRDiv"] == 0.0
    assert found["FRC"] == pytest.approx(np.mean([2 * ccc(y[0], y[0]) for y in TARGETS]))
