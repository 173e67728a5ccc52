"""The kernel for GPUs, walked through step by step: the same as by diagonals."""

import jax
import numpy as np
import pytest
from jax.sharding import AbstractDevice, AbstractMesh, use_abstract_mesh

from jaxreact.metrics.warping import dtw_gpu
from jaxreact.metrics.warping.dtw import dtw as by_diagonals
from tests.metrics.test_scores import smooth


@pytest.mark.parametrize(
    ("pairs", "rows", "columns"),
    [
        (1, 1, 1),
        (33, 24, 17),  # a whole strip of action units more than of the others; a lane of its own
        (3, 37, 50),  # the last strips are filled up
    ],
)
def test_it_is_the_same_as_by_diagonals(pairs, rows, columns):
    x, y = smooth(pairs, rows, 25), smooth(pairs, columns, 25, seed=1)
    found = dtw_gpu.dtw(x, y, interpret=True)
    np.testing.assert_allclose(found, by_diagonals(x, y), rtol=1e-6)


def lowered(count: int) -> str:
    """For a GPU, which need not be there, as text. What was traced for a count is remembered."""
    pairs = jax.ShapeDtypeStruct((count, 750, 25), np.float32)
    device = AbstractDevice("NVIDIA H100 80GB HBM3", 132, "gpu")
    with use_abstract_mesh(AbstractMesh((), (), abstract_device=device)):
        traced = jax.jit(dtw_gpu.dtw).trace(pairs, pairs)
        return traced.lower(lowering_platforms=("cuda",)).as_text()


@pytest.mark.parametrize("runs", [True, False])
def test_a_gpu_gets_one_kernel_where_triton_runs(monkeypatch, runs):
    monkeypatch.setattr(dtw_gpu, "triton_runs", lambda: runs)
    assert lowered(64 + runs).count("xla.gpu.triton") == runs


def test_a_device_that_is_no_gpu_goes_by_diagonals(monkeypatch):
    """Though a GPU may be the usual device."""
    monkeypatch.setattr(dtw_gpu, "triton_runs", lambda: True)
    x, y = smooth(2, 6, 25), smooth(2, 5, 25, seed=1)
    np.testing.assert_array_equal(dtw_gpu.dtw(x, y), by_diagonals(x, y))
