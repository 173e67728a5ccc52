"""The paired test: equal systems, better ones, and those that cannot be compared."""

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.statistics.comparison import holm, smallest_p
from tests.metrics.scores_by_hand import changed, clip_scores

NO = "no difference shown"


def two_systems(clips=20, seed=0, **given):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(clips, 6))
    a = clip_scores(vectors, rng)
    return a, changed(a, **given)


def test_a_system_does_not_differ_from_itself():
    a, _ = two_systems()
    for found in metrics.compare(a, a).values():
        assert found.value == found.low == found.high == 0.0
        assert found.p_value == found.p_adjusted == 1.0
        assert found.verdict == NO


@pytest.mark.parametrize(
    ("name", "factor", "verdict"),
    [
        ("FRC", 1.3, "better"),
        ("FRD", 1.3, "worse"),
        ("FRSyn", 0.7, "better"),
        ("FRVar", 1.1, "higher"),
        ("FRVar", 0.9, "lower"),
    ],
)
def test_what_was_changed_is_found_and_nothing_else(name, factor, verdict):
    a, _ = two_systems()
    b = changed(a, **{name: factor * a[name].values})
    for metric, found in metrics.compare(a, b).items():
        if metric == name:
            assert found.verdict == verdict
            assert found.value == pytest.approx(found.b - found.a)
            assert found.low <= found.value <= found.high
            assert 0 < found.p_value < 0.01
            assert (found.low > 0) == (factor > 1)
        else:
            assert found.verdict == NO


def test_less_diversity_between_clips_is_found_wherever_the_faces_lie():
    """FRDvs knows no place: system B lies far from A and is half as wide."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20, 6))
    a, b = clip_scores(vectors, rng), clip_scores(100 + 0.5 * vectors, rng)
    found = metrics.compare(a, b)["FRDvs"]
    assert found.verdict == "lower"
    assert found.b == pytest.approx(found.a / 4)
    moved = metrics.compare(a, clip_scores(100 + vectors, rng))["FRDvs"]
    assert moved.verdict == NO


def test_pairing_finds_what_intervals_alone_would_not():
    """Clips differ much more than the systems do."""
    rng = np.random.default_rng(0)
    hard = rng.gamma(2, 40, 30)
    a, b = two_systems(30, FRD=hard)[1], two_systems(30, FRD=hard - 1 + rng.normal(0, 0.5, 30))[1]
    found = metrics.compare(a, b)["FRD"]
    assert found.verdict == "better"
    assert found.high < 0
    assert metrics.intervals(a)["FRD"].low < metrics.aggregate(b)["FRD"]


def test_exchanging_counts_all_ways_of_few_groups():
    """All of four clips 1 better: of 16 ways two are as extreme, and Holm has six scores."""
    a, b = two_systems(4)
    b = changed(a, FRC=a["FRC"].values + 1)
    found = metrics.compare(a, b)["FRC"]
    assert found.p_value == 2 / 16
    assert found.p_adjusted == smallest_p(4) == 6 * 2 / 16
    assert found.verdict == NO
    assert smallest_p(8) < 0.05 < smallest_p(7)


def test_groups_make_it_harder_to_show():
    a, _ = two_systems(20)
    b = changed(a, FRC=a["FRC"].values + 0.5)
    labels = [f"NoXI/{index % 5}" for index in range(20)]
    assert metrics.compare(a, b)["FRC"].p_value < 0.001
    found = metrics.compare(a, b, groups=labels)["FRC"]
    assert found.p_value == 2 / 2**5
    assert found.groups == 5


def test_samples_without_synchrony_keep_their_weight():
    """Only the moving clip of each system counts: 40 against 10 frames."""
    rng = np.random.default_rng(0)
    a = clip_scores(
        np.zeros((2, 6)), rng, FRSyn=np.array([40, np.nan]), FRSyn_samples=np.array([5.0, 0.0])
    )
    b = clip_scores(
        np.zeros((2, 6)), rng, FRSyn=np.array([np.nan, 10]), FRSyn_samples=np.array([0.0, 5.0])
    )
    found = metrics.compare(a, b)["FRSyn"]
    assert found.value == -30
    assert found.p_value == 1.0  # 2 of 4 exchanges are undefined, the others as large


def test_seeds_reproduce():
    a, _ = two_systems(20)
    b = changed(a, FRC=a["FRC"].values * np.random.default_rng(1).gamma(9, 1 / 9, 20))
    first = metrics.compare(a, b, seed=1)
    assert metrics.compare(a, b, seed=1) == first
    assert metrics.compare(a, b, seed=2) != first


def test_equal_systems_are_rarely_told_apart():
    """Under the hypothesis p is uniform: one in twenty is below 0.05 before correction."""
    rng = np.random.default_rng(0)
    low = 0
    for _ in range(100):
        a, b = (clip_scores(rng.normal(size=(15, 6)), rng) for _ in range(2))
        low += sum(one.p_value <= 0.05 for one in metrics.compare(a, b, resamples=400).values())
    assert 10 < low < 55  # of 600


def test_holm():
    adjusted = holm({"FRC": 0.01, "FRD": 0.04, "FRSyn": 0.03, "FRVar": float("nan")})
    assert adjusted["FRC"] == pytest.approx(0.03)
    assert adjusted["FRSyn"] == adjusted["FRD"] == pytest.approx(0.06)
    assert np.isnan(adjusted["FRVar"])
    assert holm({"FRC": 0.9, "FRD": 0.8})["FRC"] == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"samples": 5}, "samples a clip 10 in A, 5 in B"),
        ({"frames": 750}, "frames 736 in A, 750 in B"),
        ({"mode": "original"}, "scoring mode corrected in A, original in B"),
    ],
)
def test_systems_that_cannot_be_compared(given, message):
    a, b = two_systems(**given)
    with pytest.raises(UserError, match=message):
        metrics.compare(a, b)
    with pytest.raises(UserError, match="clips 20 in A, 4 in B"):
        metrics.compare(a, two_systems(4)[0])
