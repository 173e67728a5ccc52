"""Sequences in another number of frames."""

import numpy as np
import pytest

from jaxreact.metrics.ragged.resampling import resampled
from tests.metrics.ragged.by_hand import stretched, targets


@pytest.mark.parametrize(("length", "frames"), [(7, 13), (13, 7), (2, 5), (5, 2), (30, 31), (9, 9)])
def test_resampling_by_hand(length, frames):
    (sequence,) = targets((length,))[0]
    found = resampled(sequence, frames)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, stretched(sequence, frames), atol=1e-6)
    assert set(np.unique(found[:, :15])) <= {0.0, 1.0}
    np.testing.assert_array_equal(found[[0, -1]], sequence[[0, -1]])


def test_a_line_stays_a_line():
    line = np.tile(np.arange(5, dtype=np.float32)[:, None], (1, 25))
    found = resampled(line, 9)
    np.testing.assert_array_equal(found[:, 20], np.arange(9) / 2)
    np.testing.assert_array_equal(found[:, 0], [0, 1, 1, 2, 2, 3, 3, 4, 4])
