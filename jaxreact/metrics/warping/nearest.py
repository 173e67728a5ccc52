"""The nearest appropriate reaction of every predicted one, under time warping."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.metrics.warping import nearest_device
from jaxreact.metrics.warping.choice import faster, usable_cores
from jaxreact.metrics.warping.pairs import Pairs, Progress

MEMORY = 2**28
"""Bytes for buffers where nothing else is wanted; on another device than the processor an 8th of
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
        if prune is None:
            prune = sum(map(len, lists)) >= PRUNED_FROM * len(lists)
        ways = _Ways(predicted, truth, memory)
        every = np.array(pairs)
        on_cpu = kernel == "cpu" or (kernel == "auto" and not ways.faster_elsewhere(every))
        with tqdm(total=len(pairs), desc="FRD", unit="pair", delay=2, disable=None) as progress:
            if on_cpu:
                ways.on_cores(every, nearest, progress.update, prune)
            else:
                ways.on_device(every, nearest, progress.update)
    nearest[alike] = nearest[alike, :1]
    return nearest


@dataclass(frozen=True)
class _Ways:
    """Both ways to compare pairs, which leave in `nearest` what is found."""

    predicted: np.ndarray
    truth: np.ndarray
    memory: int | None

    def faster_elsewhere(self, pairs: Pairs) -> bool:
        """Whether JAX has a device beside the processor that is the faster for all of this."""
        if jax.default_backend() == "cpu":
            return False
        cells = float(len(pairs)) * self.predicted.shape[2] * self.truth.shape[1]
        cores, device = usable_cores(), jax.local_devices()[0].device_kind
        nowhere = np.full(self.predicted.shape[:2], np.inf)

        def on_device() -> int:
            few = pairs[: self._there.size]
            self.on_device(few, nowhere, _nobody)
            return len(few)

        def on_cores() -> int:
            few = pairs[: 128 * cores]
            self.on_cores(few, nowhere, _nobody)
            return len(few)

        return faster(cells, device, on_device, cores, on_cores)

    def on_cores(
        self, pairs: Pairs, nearest: np.ndarray, progress: Progress, prune: bool = False
    ) -> None:
        from jaxreact.metrics.warping import nearest_cpu  # compiled only where it is used

        memory = self.memory or MEMORY
        nearest_cpu.Search(self.predicted, self.truth, nearest, memory, prune, progress).run(pairs)

    def on_device(self, pairs: Pairs, nearest: np.ndarray, progress: Progress) -> None:
        self._there.run(pairs, nearest, progress)

    @cached_property
    def _there(self) -> nearest_device.Search:
        memory = self.memory or _memory_of_device()
        return nearest_device.Search(self.predicted, self.truth, memory)


def _nobody(_: int) -> None:
    """Wants to know of no progress."""


def _memory_of_device() -> int:
    held = jax.local_devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    return max(MEMORY, held["bytes_limit"] // 8) if held else MEMORY
