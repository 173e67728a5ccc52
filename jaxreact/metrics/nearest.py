"""The nearest appropriate reaction of every predicted one, under time warping."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.dtw import dtw

WEIGHTS = np.array([1 / 15, 1.0, 1 / 8])
"""Of the distances of action units, valence and arousal, and expressions."""

Kernel = Literal["auto", "cpu", "jax"]
Found = tuple[Int[np.ndarray, "pairs 3"], Float[np.ndarray, "3 pairs"]]
"""Pairs (clip, sample, other) and their three distances."""


def nearest_distances(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    truth: Float[np.ndarray, "others frames 25"],
    lists: list[np.ndarray],
    *,
    memory: int = 2**28,
    kernel: Kernel = "auto",
) -> Float[np.ndarray, "clips samples"]:
    """min over j in lists[n] of DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8, float64; NaN without any.

    Every pair is compared in full, by `Warper` on CPU cores or by `dtw` on any JAX device; `auto`
    takes the device where JAX has another than the CPU. float32 sums: the two agree to 1e-6.
    Beyond the arguments, which may be memory-mapped, and some bytes a pair, the buffers of all
    threads (or of a batch) stay within `memory` bytes, as long as that is enough for one.
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
        compare = _on_cores if on_cpu else _by_jax
        progress = tqdm(total=len(pairs), desc="FRD", unit="pair", delay=2, disable=None)
        with progress:
            for found, blocks in compare(predicted, truth, np.array(pairs), memory):
                clip, sample, _ = found.T
                np.minimum.at(nearest, (clip, sample), WEIGHTS @ blocks.astype(np.float64))
                progress.update(len(found))
    nearest[alike] = nearest[alike, :1]
    nearest[[len(others) == 0 for others in lists]] = np.nan
    return nearest


def _on_cores(
    predicted: np.ndarray, truth: np.ndarray, pairs: np.ndarray, memory: int
) -> Iterator[Found]:
    """Predictions that meet the same other are compared together, groups on all cores at once."""
    from jaxreact.metrics.dtw_cpu import Warper  # compiled only where it is used
    from jaxreact.metrics.lanes import LANES

    lengths = predicted.shape[2], truth.shape[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = max(1, min(cores or 1, memory // Warper.memory(*lengths)))
    idle: SimpleQueue[Warper] = SimpleQueue()
    for _ in range(threads):
        idle.put(Warper(*lengths))

    def compare(group: np.ndarray) -> Found:
        warper = idle.get()
        many = [predicted[clip, sample] for clip, sample, _ in group]
        blocks = warper.distances(many, truth[group[0, 2]])
        idle.put(warper)
        return group, blocks

    by_other = pairs[np.argsort(pairs[:, 2], kind="stable")]
    starts = np.flatnonzero(np.diff(by_other[:, 2])) + 1
    groups = [
        same[first : first + LANES]
        for same in np.split(by_other, starts)
        for first in range(0, len(same), LANES)
    ]
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(compare, groups)


def _by_jax(
    predicted: np.ndarray, truth: np.ndarray, pairs: np.ndarray, memory: int
) -> Iterator[Found]:
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
