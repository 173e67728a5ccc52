"""The nearest appropriate reaction of every predicted one, under time warping."""

from collections.abc import Iterator
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.warping.dtw import dtw
from jaxreact.metrics.warping.pairs import Pairs, keep_nearest

MEMORY = 2**28
"""Bytes for buffers where nothing else is wanted."""

PRUNED_FROM = 20
"""Others to compare a prediction with from which it pays to look whether one can still be the
nearest: of 40 it halves the time, of ten it costs a third (`benchmarks/warping.py`)."""

Kernel = Literal["auto", "cpu", "jax"]


def nearest_distances(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    truth: Float[np.ndarray, "others frames 25"],
    lists: list[np.ndarray],
    *,
    memory: int = MEMORY,
    kernel: Kernel = "auto",
    prune: bool | None = None,
) -> Float[np.ndarray, "clips samples"]:
    """min over j in lists[n] of DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8, float64; inf without any.

    By `Search` on CPU cores or by `dtw` on any JAX device; `auto` takes the device where JAX has
    another than the CPU. float32 sums: the two agree to 1e-6. On the CPU `prune` gives a comparison
    up once it cannot be the nearest, which changes no bit of the result; by default it does so
    where there are `PRUNED_FROM` others to a prediction. Beyond the arguments, which may be
    memory-mapped, and some bytes a pair, the buffers of all threads (or of a batch) stay within
    `memory` bytes, as long as that is enough for one.
    A clip whose samples are all alike is compared once.
    """
    nearest = np.full(predicted.shape[:2], np.inf)
    alike = [bool((samples == samples[:1]).all()) for samples in predicted]
    pairs = [
        (clip, sample, other)
        for clip, others in enumerate(lists)
        for sample in range(1 if alike[clip] else predicted.shape[1])
        for other in others
    ]
    if pairs:
        on_cpu = kernel == "cpu" or (kernel == "auto" and jax.default_backend() == "cpu")
        with tqdm(total=len(pairs), desc="FRD", unit="pair", delay=2, disable=None) as progress:
            if on_cpu:
                from jaxreact.metrics.warping.nearest_cpu import (
                    Search,  # compiled only where it is used
                )

                if prune is None:
                    prune = sum(map(len, lists)) >= PRUNED_FROM * len(lists)
                search = Search(predicted, truth, nearest, memory, prune, progress.update)
                search.run(np.array(pairs))
            else:
                for compared, blocks in _by_jax(predicted, truth, np.array(pairs), memory):
                    keep_nearest(nearest, compared, blocks)
                    progress.update(len(compared))
    nearest[alike] = nearest[alike, :1]
    return nearest


def _by_jax(
    predicted: np.ndarray, truth: np.ndarray, pairs: np.ndarray, memory: int
) -> Iterator[tuple[Pairs, np.ndarray]]:
    """A fixed number of pairs at a time, so that `dtw` is compiled once."""
    bytes_of_pair = 32 * EMOTION_CHANNELS * max(predicted.shape[2], truth.shape[1])
    most = max(1, memory // bytes_of_pair)
    size = min(1 << (most.bit_length() - 1), 1 << (len(pairs) - 1).bit_length())
    for start in range(0, len(pairs), size):
        # The last batch is filled up with repetitions, which are dropped again.
        batch = pairs[np.arange(start, start + size) % len(pairs)]
        clip, sample, other = batch.T
        count = min(size, len(pairs) - start)
        yield batch[:count], np.asarray(dtw(predicted[clip, sample], truth[other]))[:, :count]
