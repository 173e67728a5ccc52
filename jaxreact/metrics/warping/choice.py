"""Which warps faster here, the processor's cores or another device: a short trial of both tells."""

import os
import sys
import time
from collections.abc import Callable

WORTH_A_TRIAL = 1e10
"""Cells of all matrices together from which a trial is made, for each core; it compares them in ten
seconds, and compiling for the device takes about as long."""


def faster(
    cells: float,
    device: str,
    on_device: Callable[[], int],
    cores: int,
    on_cores: Callable[[], int],
) -> bool:
    """Whether the device is the faster one; a line on stderr says so, and by how much.

    Both functions make some of the comparisons and return how many. The first call of each, which
    may compile, does not count. A device that fails, by its memory or its compiler, is not taken.
    """
    if cells < WORTH_A_TRIAL * cores:
        return False
    try:
        there = _each_second(on_device)
    except Exception as error:  # of whatever kind: the cores can do without it
        first = next(iter(str(error).splitlines()), type(error).__name__)
        print(f"FRD: {device} fails ({first}); the {cores} cores it is", file=sys.stderr)
        return False
    here = _each_second(on_cores)
    taken = device if there > here else f"the {cores} cores"
    print(
        f"FRD: {there:,.0f} warpings a second on {device}, {here:,.0f} on {cores} cores; "
        f"{taken} it is",
        file=sys.stderr,
    )
    return there > here


def _each_second(compare: Callable[[], int]) -> float:
    compare()
    start = time.perf_counter()
    return compare() / max(time.perf_counter() - start, 1e-9)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
