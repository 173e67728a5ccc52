"""What a device is given: batches of one size, and no sequence twice for one."""

import numpy as np
import pytest

from jaxreact.metrics.warping import nearest_device
from jaxreact.metrics.warping.nearest import nearest_distances
from jaxreact.metrics.warping.nearest_device import Search, There
from tests.metrics.warping.test_nearest import FRAMES, NEIGHBOURS, SAMPLES, case

OF_A_PAIR = 4 * 12 * 25 * FRAMES
"""Bytes."""


@pytest.mark.parametrize(
    ("memory", "batches"),
    [
        (2 * 50 * OF_A_PAIR, [32, 32, 32, 29]),  # of 50 the power of two
        (2 * 2 * OF_A_PAIR, [2] * 62 + [1]),  # not even enough for all predictions
    ],
)
def test_batches_are_of_one_size(monkeypatch, memory, batches):
    predicted, truth = case("smooth")
    expected = nearest_distances(predicted, truth, NEIGHBOURS, kernel="cpu")
    dtw, sizes, done = nearest_device.dtw, set(), []

    def noted(x, y):
        sizes.add((len(x), len(y)))
        return dtw(x, y)

    monkeypatch.setattr(nearest_device, "dtw", noted)
    pairs = np.array(
        [(n, k, j) for n, others in enumerate(NEIGHBOURS) for k in range(SAMPLES) for j in others]
    )
    nearest = np.full(predicted.shape[:2], np.inf)
    Search(predicted, truth, memory).run(pairs, nearest, done.append)
    np.testing.assert_allclose(nearest, expected, rtol=1e-5, atol=1e-6)
    assert sizes == {(batches[0], batches[0])}
    assert done == batches


@pytest.mark.parametrize("fits", [True, False])
def test_a_sequence_is_brought_once_or_once_a_batch(monkeypatch, fits):
    predicted, _ = case("smooth")
    brought, taken = [], nearest_device._taken

    def noted(sequences, places):
        brought.append(sequences)
        return taken(sequences, places)

    monkeypatch.setattr(nearest_device, "_taken", noted)
    there = There(predicted, predicted.nbytes - (not fits))
    clip, sample = np.array([(6, 1), (2, 4), (6, 1), (0, 0), (6, 1)]).T
    for _ in range(2):
        np.testing.assert_array_equal(there.taken(clip, sample), predicted[clip, sample])
    if fits:
        assert brought[0] is brought[1]
    else:
        assert [len(each) for each in brought] == [4, 4]  # three, filled up


@pytest.mark.parametrize("kernel", ["cpu", "jax"])
def test_arrays_may_be_memory_mapped_and_in_any_order(tmp_path, kernel):
    predicted, truth = case("smooth")
    np.save(tmp_path / "p.npy", np.asfortranarray(predicted))
    mapped = np.load(tmp_path / "p.npy", mmap_mode="r")
    found = nearest_distances(mapped, truth[::-1], NEIGHBOURS, kernel=kernel)
    expected = nearest_distances(predicted, truth[::-1].copy(), NEIGHBOURS, kernel="cpu")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
