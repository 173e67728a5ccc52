"""The nearest appropriate reaction of every predicted one, under time warping."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.warping.choice import faster, usable_cores
from jaxreact.metrics.warping.dtw import dtw
from jaxreact.metrics.warping.pairs import Pairs, keep_nearest

MEMORY = 2**28
"""Bytes for buffers where nothing else is wanted; on another device than the processor a 32nd of
what it has, if that is more."""

PRUNED_FROM = 20
"""Others to compare a prediction with from which it pays to look whether one can still be the
nearest: of 40 it halves the time, of ten it costs a third (`benchmarks/warping.py`)."""

Kernel = Literal["auto", "cpu", "jax"]


def nearest_distances(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    truth: Float[np.ndarray, "others frames 25"],
    lists: list[np.ndarray],
    *,
    memory: int | None = None,
    kernel: Kernel = "auto",
    prune: bool | None = None,
) -> Float[np.ndarray, "clips samples"]:
    """min over j in lists[n] of DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8, float64; inf without any.

    By `Search` on CPU cores or by `dtw` on any JAX device; `auto` takes the faster where JAX has
    another device and there is much to compare, and says so. float32 sums: the two agree to 1e-6.
    On the CPU `prune` gives a comparison up once it cannot be the nearest, which changes no bit of
    the result; by default it does so where there are `PRUNED_FROM` others to a prediction. Beyond
    the arguments, which may be memory-mapped, and some bytes a pair, the buffers of all threads (or
    of a batch) stay within `memory` bytes, as long as that is enough for one.
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
        work = _Work(predicted, truth, np.array(pairs), memory)
        if prune is None:
            prune = sum(map(len, lists)) >= PRUNED_FROM * len(lists)
        on_cpu = kernel == "cpu" or (kernel == "auto" and not work.faster_elsewhere())
        with tqdm(total=len(pairs), desc="FRD", unit="pair", delay=2, disable=None) as progress:
            (work.on_cores if on_cpu else work.on_device)(nearest, prune, progress.update)
    nearest[alike] = nearest[alike, :1]
    return nearest


@dataclass(frozen=True)
class _Work:
    """All comparisons, and both ways to make them."""

    predicted: np.ndarray
    truth: np.ndarray
    pairs: Pairs
    memory: int | None

    def faster_elsewhere(self) -> bool:
        """Whether JAX has a device beside the processor that is the faster for all of this."""
        if jax.default_backend() == "cpu":
            return False
        cells = float(len(self.pairs)) * self.predicted.shape[2] * self.truth.shape[1]
        cores, device = usable_cores(), jax.devices()[0].device_kind
        few = self._some(self._batch())
        enough = self._some(128 * cores)
        return faster(cells, device, few.tried_on_device, cores, enough.tried_on_cores)

    def on_cores(self, nearest: np.ndarray, prune: bool, progress: Callable[[int], object]) -> None:
        from jaxreact.metrics.warping.nearest_cpu import Search  # compiled only where it is used

        memory = self.memory or MEMORY
        Search(self.predicted, self.truth, nearest, memory, prune, progress).run(self.pairs)

    def on_device(self, nearest: np.ndarray, _: bool, progress: Callable[[int], object]) -> None:
        """A fixed number of pairs at a time, so that `dtw` is compiled once."""
        size = self._batch()
        for start in range(0, len(self.pairs), size):
            # The last batch is filled up with repetitions, which are dropped again.
            batch = self.pairs[np.arange(start, start + size) % len(self.pairs)]
            clip, sample, other = batch.T
            count = min(size, len(self.pairs) - start)
            blocks = np.asarray(dtw(self.predicted[clip, sample], self.truth[other]))
            keep_nearest(nearest, batch[:count], blocks[:, :count])
            progress(count)

    def _batch(self) -> int:
        """Pairs that the device compares at once, a power of two."""
        bytes_of_pair = 32 * EMOTION_CHANNELS * max(self.predicted.shape[2], self.truth.shape[1])
        most = max(1, (self.memory or _memory_of_device()) // bytes_of_pair)
        return min(1 << (most.bit_length() - 1), 1 << (len(self.pairs) - 1).bit_length())

    def _some(self, count: int) -> "_Work":
        return replace(self, pairs=self.pairs[:count])

    def tried_on_cores(self) -> int:
        self.on_cores(np.full(self.predicted.shape[:2], np.inf), False, _nobody)
        return len(self.pairs)

    def tried_on_device(self) -> int:
        self.on_device(np.full(self.predicted.shape[:2], np.inf), False, _nobody)
        return len(self.pairs)


def _nobody(_: int) -> None:
    """Wants to know of no progress."""


def _memory_of_device() -> int:
    held = jax.devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    return max(MEMORY, held["bytes_limit"] // 32) if held else MEMORY
