"""The search for the nearest reaction: every way to it gives the same numbers."""

import numpy as np
import pytest

from jaxreact.metrics.warping.dtw import BLOCKS, dtw
from jaxreact.metrics.warping.dtw_cpu import Warper
from jaxreact.metrics.warping.nearest import nearest_distances
from jaxreact.metrics.warping.pairs import WEIGHTS
from jaxreact.metrics.warping.simd import LANES
from tests.metrics.test_scores import smooth

CLIPS, SAMPLES, FRAMES = 7, 5, 71


def by_hand(x, y):
    """The recurrence, in float64."""
    total = 0.0
    for weight, block in zip(WEIGHTS, BLOCKS, strict=True):
        a, b = (each[:, slice(*block)].astype(np.float64) for each in (x, y))
        cost = np.square(a[:, None] - b).sum(-1)
        sums = np.full((len(a) + 1, len(b) + 1), np.inf)
        sums[0, 0] = 0
        for i in range(len(a)):
            for j in range(len(b)):
                before = min(sums[i, j], sums[i, j + 1], sums[i + 1, j])
                sums[i + 1, j + 1] = cost[i, j] + before
        total += weight * np.sqrt(sums[-1, -1])
    return total


def lists_of(*lengths):
    rng = np.random.default_rng(5)
    return [rng.permutation(CLIPS)[:length] for length in lengths]


NEIGHBOURS = lists_of(7, 3, 0, 1, 7, 2, 5)


def case(kind):
    truth = smooth(CLIPS, FRAMES, 25, seed=1)
    predicted = smooth(CLIPS, SAMPLES, FRAMES, 25)
    if kind == "smooth and similar":
        predicted = truth[:, None] + 0.1 * predicted
    if kind == "copies of the truth":
        predicted = np.stack([truth[np.roll(np.arange(CLIPS), n)] for n in range(SAMPLES)], 1)
    if kind == "ties":
        truth = np.repeat(truth[:1], CLIPS, axis=0)
    if kind == "jumps":
        truth, predicted = np.round(truth), np.round(predicted)
    if kind == "noise":
        predicted = np.random.default_rng(3).random(predicted.shape, np.float32)
    return predicted.astype(np.float32), truth.astype(np.float32)


KINDS = ("smooth", "smooth and similar", "copies of the truth", "ties", "jumps", "noise")


@pytest.mark.parametrize("kind", KINDS)
def test_giving_up_early_changes_no_bit(kind):
    found = nearest_distances(*case(kind), NEIGHBOURS, kernel="cpu", prune=True)
    in_full = nearest_distances(*case(kind), NEIGHBOURS, kernel="cpu", prune=False)
    np.testing.assert_array_equal(found, in_full)
    assert np.isinf(found[2]).all()
    assert np.isfinite(np.delete(found, 2, axis=0)).all()


@pytest.mark.parametrize(("others", "prunes"), [(19, False), (20, True)])
def test_comparisons_are_given_up_where_there_are_many(monkeypatch, others, prunes):
    limits = []

    def note(self, many, other, given):
        limits.extend(given)
        return np.zeros((3, len(many)))

    monkeypatch.setattr(Warper, "distances", note)
    predicted, truth = case("smooth")
    nearest_distances(predicted, np.repeat(truth, 3, axis=0), [np.arange(others)] * CLIPS)
    assert np.isfinite(limits).any() == prunes


@pytest.mark.parametrize("kind", KINDS)
def test_both_kernels_agree_whatever_memory_they_have(kind):
    cpu = nearest_distances(*case(kind), NEIGHBOURS, kernel="cpu")
    for memory in (1, 2**28):
        jax = nearest_distances(*case(kind), NEIGHBOURS, kernel="jax", memory=memory)
        np.testing.assert_allclose(cpu, jax, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        cpu, nearest_distances(*case(kind), NEIGHBOURS, kernel="cpu", memory=1)
    )


def test_the_nearest_by_hand():
    predicted, truth = case("smooth")
    found = nearest_distances(predicted, truth, NEIGHBOURS)
    for clip, sample in ((1, 0), (3, 4), (5, 2)):
        expected = min(by_hand(predicted[clip, sample], truth[j]) for j in NEIGHBOURS[clip])
        assert found[clip, sample] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("many", [1, 3, LANES])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 6), (40, 33), (33, 40), (65, 2)])
def test_lanes_do_not_mix(many, rows, columns):
    x, y = smooth(many, rows, 25), smooth(columns, 25, seed=1)
    found = Warper(rows, columns, WEIGHTS).distances([*x], y, np.full(many, np.inf))
    expected = dtw(x, np.broadcast_to(y, (many, columns, 25)))
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_comparison_is_given_up_when_all_its_lanes_are_beyond_their_limits():
    x, y = smooth(3, 80, 25), smooth(80, 25, seed=1)
    warper = Warper(80, 80, WEIGHTS)
    found = warper.distances([*x], y, np.full(3, np.inf))
    assert found is not None
    totals = WEIGHTS @ found
    np.testing.assert_array_equal(warper.distances([*x], y, totals), found)
    assert warper.distances([*x], y, 0.1 * totals) is None
    one_goes_on = 0.1 * totals
    one_goes_on[1] = totals[1]
    np.testing.assert_array_equal(warper.distances([*x], y, one_goes_on), found)


def test_samples_that_are_all_alike_are_compared_once(monkeypatch):
    predicted, truth = case("smooth")
    predicted = np.repeat(predicted[:, :1], SAMPLES, axis=1)
    compared = []
    distances = Warper.distances

    def counted(self, many, *rest):
        compared.append(len(many))
        return distances(self, many, *rest)

    monkeypatch.setattr(Warper, "distances", counted)
    found = nearest_distances(predicted, truth, NEIGHBOURS, kernel="cpu")
    assert sum(compared) == sum(map(len, NEIGHBOURS))
    assert (found == found[:, :1]).all()
