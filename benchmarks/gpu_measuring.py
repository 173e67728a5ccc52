"""What the ways of `benchmarks/gpu.py` measure with."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax

Found = dict[str, Any]
MEASURED_S = 3.0
"""Seconds of steps to take a median of."""


def since_start() -> float:
    """Seconds since the driver began this process."""
    return round(time.time() - float(os.environ.get("GPU_WAYS_BEGAN", time.time())), 2)


def median_ms(function: Callable[[], Any], least: int = 5) -> float:
    """Milliseconds of a call whose programs are compiled."""
    times: list[float] = []
    while len(times) < least or (sum(times) < MEASURED_S and len(times) < 200):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return round(1e3 * statistics.median(times), 3)


def gib() -> float | None:
    held = jax.devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    return round(held["peak_bytes_in_use"] / 2**30, 2) if held else None
