"""Our half of `benchmarks/metrics_ragged.py`: a worker that scores when told to.

    python benchmarks/metrics_ragged_ours.py DIRECTORY

The arrays in DIRECTORY are memory-mapped. Mode `corrected`, lengths as they are.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy
from metrics_ours import OwnMemory
from metrics_ragged_workload import load
from side_by_side import Stages, serve

from jaxreact import metrics


def one_pass(folder: Path, stages: Stages, _: int) -> dict[str, Any]:
    """FRD, and what all scores that need no speaker take, with the peak of memory of each."""
    given = load(folder)
    found: dict[str, Any] = {}
    for name, score in {
        "FRD": partial(metrics.frd, *given),
        "FRC": partial(metrics.frc, *given),
        "FRVar": partial(metrics.frvar, given[0]),
        "FRDiv": partial(metrics.frdiv, given[0]),
    }.items():
        with OwnMemory() as memory:
            found[name] = stages.timed(name, score)
        found[f"{name} own_gib"] = memory.peak
    return found


if __name__ == "__main__":
    versions = {each.__name__: each.__version__ for each in (numba, numpy)}
    serve(partial(one_pass, Path(sys.argv[1])), versions)
