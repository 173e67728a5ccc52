"""A score is one object: a seventh one is seen everywhere, and nothing else knows of it."""

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics import CHALLENGE, SCORES, Score
from jaxreact.metrics.parts import ClipValues
from jaxreact.metrics.statistics.comparison import smallest_p
from jaxreact.metrics.table import comparison_table, score_table
from tests.metrics.test_scores import case

CHEERFUL = Score(
    name="AU12",
    of_clips=lambda reactions: ClipValues(
        reactions.predicted[..., 7].mean(axis=(1, 2), dtype=np.float64)
    ),
    meaning="How much the {samples} samples smile.",
    better=1,
)
SEVEN = (*CHALLENGE, CHEERFUL)


@pytest.fixture(scope="module")
def arrays():
    return case(clips=12)


@pytest.fixture(scope="module")
def scores(arrays):
    return metrics.clipwise(*arrays, scores=SEVEN)


def test_a_seventh_score_clip_by_clip_and_of_all(arrays, scores):
    expected = arrays[0][..., 7].mean(axis=(1, 2))
    np.testing.assert_allclose(scores["AU12"].values, expected, rtol=1e-6)
    totals = metrics.aggregate(scores)
    assert list(totals) == [*(score.name for score in CHALLENGE), "AU12"]
    assert totals["AU12"] == pytest.approx(expected.mean())
    six = metrics.clipwise(*arrays, scores=CHALLENGE)
    assert totals.items() > metrics.aggregate(six).items()
    assert scores.count() == six.count()


def test_its_interval_and_its_row_in_the_table(arrays, scores):
    ranges = metrics.intervals(scores)
    assert ranges["AU12"].low < ranges["AU12"].value < ranges["AU12"].high
    assert ranges.items() > metrics.intervals(metrics.clipwise(*arrays, scores=CHALLENGE)).items()
    baselines = metrics.baseline_scores(*arrays[1:], samples=2, scores=SEVEN)
    row = score_table(SEVEN, ranges, baselines).splitlines()[-1].split()
    assert row[:2] == ["AU12", "↑"]
    assert row[2] == f"{ranges['AU12'].value:.4f}"
    assert row[-3] == f"{arrays[1][..., 7].mean():.4f}"  # gt, mime, random


def test_two_systems_compared_by_it(arrays, scores):
    predictions, *others = arrays
    happier = predictions.copy()
    happier[..., 7] += 0.5
    differences = metrics.compare(scores, metrics.clipwise(happier, *others, scores=SEVEN))
    assert differences["AU12"].value == pytest.approx(0.5, rel=1e-5)
    assert differences["AU12"].verdict == "better"
    assert differences["AU12"].p_adjusted == 7 * differences["AU12"].p_value
    row = comparison_table(SEVEN, differences).splitlines()[-1].split()
    assert (row[0], row[-1]) == ("AU12", "better")
    assert smallest_p(8, SEVEN) == 7 * 2.0**-7


def test_systems_of_different_scores_are_not_compared(arrays, scores):
    with pytest.raises(UserError, match=r"scores FRC, .*, AU12 in A, FRC, .*FRSyn in B"):
        metrics.compare(scores, metrics.clipwise(*arrays, scores=CHALLENGE))


def test_some_scores_only(arrays):
    few = metrics.clipwise(*arrays, scores=(CHEERFUL,))
    assert list(metrics.aggregate(few)) == ["AU12"]
    assert few.repeated(6)["AU12"] == few["AU12"]


def test_what_scores_say_of_themselves():
    assert CHEERFUL.explained(3) == "How much the 3 samples smile."
    assert [score.label for score in SCORES] == [
        *("FRC ↑", "FRD ↓", "FRDvs", "FRVar", "FRDiv", "FRSyn ↓"),
        *("Jitter", "FaceJitter", "Seams", "FaceSeams", "Nods", "Smiles"),
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
        **dict.fromkeys((score.name for score in metrics.OURS), (0, True)),
    }
