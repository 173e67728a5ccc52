"""A score is one object: a seventh one is seen everywhere, and nothing else knows of it."""

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics import SCORES, Score
from jaxreact.metrics.parts import ClipValues
from jaxreact.metrics.statistics.comparison import smallest_p
from jaxreact.metrics.table import comparison_table, score_table
from tests.metrics.test_scores import case

SMILES = Score(
    name="Smiles",
    of_clips=lambda reactions: ClipValues(
        reactions.predicted[..., 7].mean(axis=(1, 2), dtype=np.float64)
    ),
    meaning="How much the {samples} samples smile.",
    better=1,
)
SEVEN = (*SCORES, SMILES)


@pytest.fixture(scope="module")
def arrays():
    return case(clips=12)


@pytest.fixture(scope="module")
def scores(arrays):
    return metrics.clipwise(*arrays, scores=SEVEN)


def test_a_seventh_score_clip_by_clip_and_of_all(arrays, scores):
    expected = arrays[0][..., 7].mean(axis=(1, 2))
    np.testing.assert_allclose(scores["Smiles"].values, expected, rtol=1e-6)
    totals = metrics.aggregate(scores)
    assert list(totals) == [*metrics.NAMES, "Smiles"]
    assert totals["Smiles"] == pytest.approx(expected.mean())
    six = metrics.evaluate(*arrays)
    assert {name: totals[name] for name in six} == six
    assert scores.count() == metrics.clipwise(*arrays).count()


def test_its_interval_and_its_row_in_the_table(arrays, scores):
    ranges = metrics.intervals(scores)
    assert ranges["Smiles"].low < ranges["Smiles"].value < ranges["Smiles"].high
    assert {name: ranges[name] for name in metrics.NAMES} == metrics.intervals(
        metrics.clipwise(*arrays)
    )
    baselines = metrics.baseline_scores(*arrays[1:], samples=2, scores=SEVEN)
    row = score_table(ranges, baselines, scores=SEVEN).splitlines()[-1].split()
    assert row[:2] == ["Smiles", "↑"]
    assert row[2] == f"{ranges['Smiles'].value:.4f}"
    assert row[-3] == f"{arrays[1][..., 7].mean():.4f}"  # gt, mime, random


def test_two_systems_compared_by_it(arrays, scores):
    predictions, *others = arrays
    happier = predictions.copy()
    happier[..., 7] += 0.5
    differences = metrics.compare(scores, metrics.clipwise(happier, *others, scores=SEVEN))
    assert differences["Smiles"].value == pytest.approx(0.5, rel=1e-5)
    assert differences["Smiles"].verdict == "better"
    assert differences["Smiles"].p_adjusted == 7 * differences["Smiles"].p_value
    row = comparison_table(differences, SEVEN).splitlines()[-1].split()
    assert (row[0], row[-1]) == ("Smiles", "better")
    assert smallest_p(8, scores=7) == 7 * 2.0**-7


def test_systems_of_different_scores_are_not_compared(arrays, scores):
    with pytest.raises(UserError, match=r"scores FRC, .*, Smiles in A, FRC, .*FRSyn in B"):
        metrics.compare(scores, metrics.clipwise(*arrays))


def test_some_scores_only(arrays):
    few = metrics.clipwise(*arrays, scores=(SMILES,))
    assert list(metrics.aggregate(few)) == ["Smiles"]
    assert few.repeated(6)["Smiles"] == few["Smiles"]


def test_what_scores_say_of_themselves():
    assert SMILES.explained(3) == "How much the 3 samples smile."
    assert [score.label for score in SCORES] == [
        *("FRC ↑", "FRD ↓", "FRDvs", "FRVar", "FRDiv", "FRSyn ↓")
    ]
    for score in SCORES:
        assert "{" not in score.explained(10)
        assert ("10 samples" in score.explained(10)) == (score.name in ("FRC", "FRD"))


def test_what_is_said_of_each_score():
    """Where better is, and of which the value of people is the one to reach; none is above it."""
    said = {score.name: (score.better, score.of_people) for score in metrics.SCORES}
    assert said == {
        "FRC": (1, False),
        "FRD": (-1, False),
        "FRDvs": (0, True),
        "FRVar": (0, True),
        "FRDiv": (0, False),
        "FRSyn": (-1, False),
    }
