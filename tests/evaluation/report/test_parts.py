"""What the parts of the report compute, on cases that can be checked by hand."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.evaluation.report.clip_table import (
    ClipTable,
    read_clip_table,
    table_of,
    write_clip_table,
)
from jaxreact.evaluation.report.clips import telling_clips
from jaxreact.evaluation.report.codebook import Use
from jaxreact.evaluation.report.diversity import listener_differences, pairs_of_samples
from jaxreact.evaluation.report.evaluated import Evaluated, spread
from jaxreact.evaluation.report.lags import best_lags, curves
from jaxreact.evaluation.report.published_rows import GROUPS, METRICS, NOTES
from jaxreact.metrics.frsyn import offsets
from jaxreact.predictions import Predictions
from tests.evaluation.report.results import clip_scores, smooth, some_predictions


def table(**values: list[float]) -> ClipTable:
    some = {name: np.arange(3.0) for name in metrics.NAMES}
    known = {name: np.array(value) for name, value in values.items()}
    count = len(next(iter(known.values())))
    return ClipTable(tuple(f"clip {n}" for n in range(count)), some | known)


def test_a_reaction_that_follows_has_a_positive_lag():
    speaker = smooth(100, 25)
    late = np.concatenate([speaker[:1].repeat(7, axis=0), speaker[:-7]])
    assert best_lags(curves(np.stack([late, speaker]), speaker)).tolist() == [7, 0]
    assert np.nanmax(curves(late[None], speaker)) == pytest.approx(1)


@pytest.mark.parametrize("fps", [25, 30])
@pytest.mark.parametrize("frames", [6, 40, 80, 200])
def test_the_best_lags_are_what_frsyn_averages(frames, fps):
    predictions = some_predictions(3, 4, frames)
    predictions.emotion[1, 2] = 0.5  # a motionless face
    assert predictions.speaker is not None
    pairs = zip(predictions.emotion, predictions.speaker, strict=True)
    lags = np.concatenate([best_lags(curves(*pair, fps)) for pair in pairs])
    expected = offsets(predictions.emotion, predictions.speaker, fps)
    np.testing.assert_array_equal(np.abs(lags), expected[np.isfinite(expected)])
    assert np.abs(lags).mean() == pytest.approx(
        metrics.frsyn(predictions.emotion, predictions.speaker, fps=fps)
    )


def test_codebook_use():
    use = Use("model", "model", np.array([0, 6, 2, 0]))
    assert use.used == 2
    assert use.ranked.tolist() == [0.75, 0.25]
    assert use.perplexity == pytest.approx(4 / 27**0.25)
    assert Use("model", "model", np.full(5, 3)).perplexity == pytest.approx(5)


def test_the_mean_over_pairs_of_samples_is_frdiv():
    predictions = some_predictions(1, 4)
    pairs = pairs_of_samples(predictions.emotion[0])
    assert len(pairs) == 6
    assert pairs.mean() == pytest.approx(metrics.frdiv(predictions.emotion))
    assert pairs[0] == pytest.approx(
        np.square(predictions.emotion[0, 0] - predictions.emotion[0, 1]).mean()
    )


class Matrix:
    """A data set that is its neighbours."""

    def __init__(self, matrix: np.ndarray):
        self.neighbours = lambda: matrix


@pytest.mark.wrong_arguments
def test_two_appropriate_listeners():
    listener = np.zeros((3, 4, 25), np.float32)
    listener[1], listener[2] = 1, 3
    predictions = Predictions(listener[:, None], None, listener, listener)
    matrix = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 1]])
    evaluated = Evaluated(Path(), predictions, {}, Matrix(matrix), None)  # pyright: ignore
    differences = listener_differences(evaluated)
    assert differences is not None
    np.testing.assert_allclose(differences, [(1 + 9 + 4) / 3, 1, np.nan])
    assert listener_differences(Evaluated(None, predictions, {}, None, None)) is None  # pyright: ignore


def test_rankings():
    scores = table(FRC=[0.1, np.nan, 0.5, 0.3, 0.5], FRD=[1.0, np.nan, 2.0, 2.0, 0.0])
    assert scores.ranking("FRC", best_is_greatest=True) == [2, 4, 3, 0]
    assert telling_clips(scores, each=2) == {
        "Best by FRC": [2, 4],
        "Worst by FRC": [0, 3],
        "Best by FRD": [4, 0],
        "Worst by FRD": [3, 2],
    }
    single = telling_clips(table(FRC=[0.1], FRD=[1.0]))
    assert single == {"Best by FRC": [0], "Best by FRD": [0]}


def test_clip_scores_round_trip(tmp_path):
    predictions = some_predictions(3)
    scores = clip_scores(predictions, np.diag([1, 1, 0]))
    written = table_of(("a,b", 'c"d', "e\nf"), scores)
    write_clip_table(tmp_path / "clip_scores.csv", written)
    kept = read_clip_table(tmp_path / "clip_scores.csv")
    assert kept.clips == written.clips
    assert list(kept.values) == [score.name for score in scores.scores]
    for name in kept.values:
        np.testing.assert_array_equal(kept.values[name], written.values[name])
    assert np.isnan(kept.values["FRC"][2])
    all_scores = metrics.aggregate(scores)
    assert kept.fits(kept.clips, all_scores)
    assert not kept.fits(kept.clips[::-1], all_scores)
    assert not kept.fits(kept.clips, all_scores | {"FRVar": 0.5})
    assert not kept.fits(kept.clips, all_scores | {"Nods": 0.5})


SIX = "clip,FRC,FRD,FRDvs,FRVar,FRDiv,FRSyn"


def test_a_table_may_hold_some_of_our_scores_or_none(tmp_path):
    """Evaluations of before have the challenge's alone."""
    (tmp_path / "old.csv").write_text(f"{SIX}\nx,1,2,3,4,5,\n")
    assert list(read_clip_table(tmp_path / "old.csv").values) == SIX.split(",")[1:]
    (tmp_path / "new.csv").write_text(f"{SIX},Jitter,Nods\nx,1,2,3,4,5,,7,8\n")
    assert read_clip_table(tmp_path / "new.csv").values["Nods"] == 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n",
        f"{SIX}\nx,1\n",
        "clip,FRC,Jitter\nx,1,2\n",
        f"{SIX},Nods,Jitter\nx,1,2,3,4,5,6,7,8\n",
        f"{SIX},other\nx,1,2,3,4,5,6,7\n",
    ],
)
def test_a_damaged_table_is_named(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=r"t.csv: not a table of clip scores .* remove it"):
        read_clip_table(tmp_path / "t.csv")


def test_clips_are_evenly_spread():
    assert spread(3, 10).tolist() == [0, 1, 2]
    assert spread(101, 3).tolist() == [0, 50, 100]


def test_published_rows_name_their_source_and_known_notes_and_scores():
    rows = [row for group in GROUPS for row in group.rows]
    assert len(rows) == 27
    for row in rows:
        assert row.source
        assert set(row.notes) <= set(NOTES)
        assert set(row.scores) <= set(METRICS)
    (test,) = [row for row in rows if "original" in row.system and row.split == "test"]
    assert test.scores["FRD"] == 82.0288
    assert test.scores["FRSyn"] == 43.0918
    assert "order" in test.notes


def test_published_rows_of_mars_stand_alone_on_a_scale_of_their_own():
    titles = [group.title for group in GROUPS]
    assert len(titles) == len(set(titles)) == 3
    (mars,) = [group for group in GROUPS if "MARS" in group.title]
    assert "REACT2024" not in mars.title
    assert GROUPS[0] is not mars  # which is shown beside scores of REACT2024
    assert all("mars" in row.notes for row in mars.rows)
    others = [row for group in GROUPS if group is not mars for row in group.rows]
    assert not any("mars" in row.notes or "CaReDiff" in row.system for row in others)
    (copies,) = [row for row in mars.rows if "copies" in row.notes]
    scored = [row for row in mars.rows if "FRC" in row.scores]
    assert max(scored, key=lambda row: row.scores["FRC"]) is copies
    assert copies.scores["FRDiv"] == 0.0
    assert sorted(row.scores["FRD"] for row in scored).index(copies.scores["FRD"]) == 1
