"""Mode react2026: the rules of REACT 2026, as plain loops and as oddities one by one."""

import jax
import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.ragged.challenge import as_challenge
from jaxreact.metrics.targets import Targets
from tests.metrics.ragged.by_hand import best_lag, ccc, clips, spread, targets, variance, warped
from tests.metrics.test_scores import smooth

MODE = "react2026"
PREDICTED = clips(24, 31)
TARGETS = targets((24, 24), (31,))


def rounded(clip):
    clip = clip.copy()
    clip[..., :15] = np.where(clip[..., :15] > 0.5, 1.0, 0.0)
    return clip


def test_scores_are_of_rounded_action_units():
    predicted = [*map(rounded, PREDICTED)]
    pairs = [*zip(predicted, TARGETS, strict=True)]
    nearest = [sum(min(warped(x, y) for y in suit) for x in clip) for clip, suit in pairs]
    best = [sum(max(ccc(x, y) for y in suit) for x in clip) for clip, suit in pairs]
    expected = {
        "FRC": np.mean(best),
        "FRD": np.mean(nearest),
        "FRVar": np.mean([*map(variance, predicted)]),
        "FRDiv": np.mean([*map(spread, predicted)]),
    }
    assert metrics.evaluate(PREDICTED, TARGETS, mode=MODE) == pytest.approx(expected, rel=1e-5)
    assert metrics.frc(PREDICTED, TARGETS, mode=MODE) == pytest.approx(expected["FRC"], rel=1e-5)
    assert metrics.frd(PREDICTED, TARGETS, mode=MODE) == pytest.approx(expected["FRD"], rel=1e-5)
    assert metrics.frvar(PREDICTED, MODE) == pytest.approx(expected["FRVar"], rel=1e-5)
    assert metrics.frdiv(PREDICTED, MODE) == pytest.approx(expected["FRDiv"], rel=1e-5)
    assert metrics.frvar(PREDICTED) != pytest.approx(expected["FRVar"], rel=1e-2)


def test_half_an_action_unit_is_none():
    predicted = [np.full((2, 4, 25), 0.5, np.float32)]
    predicted[0][:, 2:, 0] = 0.51
    assert metrics.frvar(predicted, MODE) == pytest.approx(1 / 3 / 25)


def test_the_correlation_of_tiny_movements_is_damped_by_1e_8():
    """Both move by 1e-4, so that variances are 1e-8 each: 2e-8 / (2e-8 + 1e-8)."""
    wave = np.tile(np.array([0, 2e-4], np.float32), 20)
    predicted = np.zeros((1, 40, 25), np.float32)
    predicted[..., 16] = wave
    assert metrics.frc([predicted], [[predicted[0]]], mode=MODE) == pytest.approx(2 / 3 / 25)


def test_synchrony_is_of_the_first_sample_up_to_49_frames_and_of_the_shorter_side():
    speaker = [smooth(160, 25, width=3), smooth(150, 25, width=3, seed=1)]
    predicted = clips(150, 171)
    for clip, heard, lag in zip(predicted, speaker, (7, 31), strict=True):
        moved = np.roll(heard, lag, axis=0)[: clip.shape[1]]
        clip[0, : len(moved), 15:] = moved[:, 15:]
    units = [*map(rounded, predicted)]
    expected = [best_lag(clip[0], heard, 49) for clip, heard in zip(units, speaker, strict=True)]
    assert expected == [7, 31]
    for fps in (25, 30):
        assert metrics.frsyn(predicted, speaker, MODE, fps=fps) == np.mean(expected)
    predicted[0][1:] = 0.0  # of no consequence
    assert metrics.frsyn(predicted, speaker, MODE) == np.mean(expected)
    for clip in predicted:
        clip[0, :, 20] = 0.25  # a channel that stands still has no correlation, which wins
    assert metrics.frsyn(predicted, speaker, MODE) == 49


def test_there_is_no_frdvs():
    with pytest.raises(UserError, match="react2026 has no FRDvs; use mode corrected"):
        metrics.frdvs(PREDICTED, MODE)
    assert "FRDvs" not in metrics.evaluate(PREDICTED, TARGETS, mode=MODE)


def test_ten_targets_are_drawn_the_paired_one_always():
    suiting = targets((8,) * 30)
    given = Targets(suiting[0], [np.arange(30)])
    counts = np.zeros(30)
    for seed in range(60):
        drawn = as_challenge(given, clips(8), None, seed).sequences
        indices = [next(j for j in range(30) if suiting[0][j] is each) for each in drawn]
        assert len(set(indices)) == 10
        assert indices[0] == 0
        counts[indices] += 1
    assert counts[0] == 60
    assert counts[1:].min() > 5  # 18.6 on average, deviation 3.6
    assert counts[1:].max() < 33
    again = [as_challenge(given, clips(8), None, 7).sequences for _ in range(2)]
    assert all(a is b for a, b in zip(*again, strict=True))


def test_ten_or_fewer_are_all_taken():
    given = Targets(targets((8,) * 10)[0], [np.arange(10)])
    assert as_challenge(given, clips(8), None, 3).sequences == given.sequences


def test_only_targets_of_another_length_are_aligned():
    asked = []

    def align(target, length, key):
        asked.append((len(target), length, jax.random.key_data(key).tolist()))
        return np.full((length, 25), 0.25, np.float32)

    suiting = targets((24, 20), (30, 31))
    found = metrics.clipwise(PREDICTED, suiting, mode=MODE, align=align)
    assert {each[:2] for each in asked} == {(20, 24), (30, 31)}
    assert len({str(each[2]) for each in asked}) == 2  # a key of its own for every target
    flat = [np.full((frames, 25), 0.25, np.float32) for frames in (24, 31)]
    aligned = [[suiting[0][0], flat[0]], [flat[1], suiting[1][1]]]
    expected = metrics.clipwise(PREDICTED, aligned, mode=MODE)
    for name in ("FRC", "FRD"):
        np.testing.assert_array_equal(found[name].values, expected[name].values)


def test_without_an_alignment_only_scores_that_compare_are_refused():
    suiting = targets((24, 20), (31,))
    for score in (metrics.frc, metrics.frd):
        with pytest.raises(UserError) as error:
            score(PREDICTED, suiting, mode=MODE)
        assert str(error.value) == (
            "target 1 of clip 0: 20 frames, the prediction has 24: FRC and FRD of mode react2026 "
            "need the challenge's alignment; give align=, or use mode corrected"
        )
    others = tuple(score for score in metrics.SCORES if score.name in ("FRVar", "FRDiv"))
    scores = metrics.clipwise(PREDICTED, suiting, mode=MODE, scores=others)
    assert metrics.aggregate(scores)["FRVar"] == metrics.frvar(PREDICTED, MODE)


@pytest.mark.wrong_arguments
@pytest.mark.parametrize("given", [np.zeros((20, 25)), np.full((24, 25), np.nan)])
def test_an_alignment_that_gives_something_else(given):
    with pytest.raises(UserError, match=r"align: gave shape .* for target 1 of clip 0; expected"):
        metrics.frc(
            PREDICTED,
            targets((24, 20), (31,)),
            mode=MODE,
            align=lambda target, length, key: given,
        )
