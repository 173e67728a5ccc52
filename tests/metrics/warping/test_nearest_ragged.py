"""The search for the nearest where lengths differ gives what comparing each with each would."""

import numpy as np
import pytest

from jaxreact.metrics.targets import Targets
from jaxreact.metrics.warping.dtw_cpu import Warper
from jaxreact.metrics.warping.nearest import nearest_distances
from jaxreact.metrics.warping.nearest_ragged import nearest_of_ragged
from jaxreact.metrics.warping.pairs import WEIGHTS
from tests.metrics.ragged.by_hand import warped
from tests.metrics.test_scores import smooth

LENGTHS = (40, 71, 2, 33, 71)
OTHERS = (50, 33, 71, 3, 71, 64, 20)
LISTS = [np.array(each, int) for each in ([6, 2, 0], [], [1, 3], [2, 4, 5, 0, 1], [2, 5])]


def case():
    predicted = [smooth(4, frames, 25, seed=n) for n, frames in enumerate(LENGTHS)]
    truth = [smooth(t, 25, seed=20 + n) + n % 3 for n, t in enumerate(OTHERS)]  # some are far away
    return predicted, Targets(truth, LISTS)


def test_the_nearest_by_hand():
    predicted, targets = case()
    found = nearest_of_ragged(predicted, targets)
    assert np.isinf(found[1]).all()
    for clip, sample in ((0, 1), (2, 0), (3, 3), (4, 2)):
        distances = [warped(predicted[clip][sample], targets.sequences[j]) for j in LISTS[clip]]
        assert found[clip, sample] == pytest.approx(min(distances), rel=1e-5)


def test_giving_up_and_little_memory_change_no_bit(monkeypatch):
    found = nearest_of_ragged(*case())
    np.testing.assert_array_equal(nearest_of_ragged(*case(), memory=1), found)
    distances, given_up = Warper.distances, []

    def in_full(self, many, here, limits):
        given_up.append(distances(self, many, here, limits) is None)
        return distances(self, many, here, np.full(len(many), np.inf))

    monkeypatch.setattr(Warper, "distances", in_full)
    np.testing.assert_array_equal(nearest_of_ragged(*case()), found)
    assert any(given_up)


def test_one_length_gives_the_bits_of_the_search_in_arrays():
    predicted, truth = smooth(5, 4, 60, 25), smooth(7, 60, 25, seed=1)
    found = nearest_of_ragged([*predicted], Targets([*truth], LISTS))
    np.testing.assert_array_equal(found, nearest_distances(predicted, truth, LISTS, kernel="cpu"))


def test_lanes_of_several_lengths_end_where_they_end():
    many = [smooth(frames, 25, seed=frames) for frames in (70, 5, 33, 70, 64, 1)]
    here, never = smooth(51, 25), np.full(6, np.inf)
    warper = Warper(90, 80, WEIGHTS)
    warper.distances([smooth(90, 25)], smooth(80, 25), never[:1])  # the buffers are used already
    found = warper.distances(many, here, never)
    assert found is not None
    for lane, each in enumerate(many):
        alone = Warper(90, 80, WEIGHTS).distances([each], here, never[:1])
        assert alone is not None
        np.testing.assert_array_equal(found[:, [lane]], alone)
    assert WEIGHTS @ found[:, 2] == pytest.approx(warped(many[2], here), rel=1e-5)
    partly = warper.distances(many, here, np.zeros(6))
    assert partly is not None
    ended = np.isfinite(partly).all(axis=0)
    assert ended.tolist() == [False, True, False, False, False, True]
    np.testing.assert_array_equal(partly[:, ended], found[:, ended])


def test_samples_that_are_all_alike_are_compared_once(monkeypatch):
    predicted, targets = case()
    predicted = [np.repeat(clip[:1], 4, axis=0) for clip in predicted]
    compared, distances = [], Warper.distances

    def counted(self, many, *rest):
        compared.append(len(many))
        return distances(self, many, *rest)

    monkeypatch.setattr(Warper, "distances", counted)
    found = nearest_of_ragged(predicted, targets)
    assert sum(compared) == sum(map(len, LISTS))
    assert (found == found[:, :1]).all()
