"""Our half of `benchmarks/metrics.py`: a worker that scores when told to.

    python benchmarks/metrics_ours.py DIRECTORY

The arrays in DIRECTORY are memory-mapped. Mode `original`, whose scores are the original's; but
FRSyn of all samples is mode `corrected`.
"""

import re
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numba
import numpy
from metrics_workload import load
from side_by_side import Stages, serve

from jaxreact import metrics

STATUS = Path("/proc/self/status")


class OwnMemory:
    """The most memory that the process held while in this block, mapped files left out, in GiB."""

    def __enter__(self) -> "OwnMemory":
        self.peak = 0.0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            found = re.search(r"RssAnon:\s+(\d+) kB", STATUS.read_text())
            self.peak = max(self.peak, int(found[1]) / 2**20 if found else 0.0)


def one_pass(directory: Path, stages: Stages, _: int) -> dict[str, Any]:
    """All scores, which use all cores as they like, and the peak of memory of each."""
    predictions, listener, speaker, neighbours = load(directory)
    scores = {
        "FRC": partial(metrics.frc, predictions, listener, neighbours, "original"),
        "FRD": partial(metrics.frd, predictions, listener, neighbours, "original"),
        "FRSyn, first sample": partial(metrics.frsyn, predictions, speaker, "original"),
        "FRSyn, all samples": partial(metrics.frsyn, predictions, speaker),
        "FRDvs": partial(metrics.frdvs, predictions, "original"),
        "FRVar": partial(metrics.frvar, predictions, "original"),
        "FRDiv": partial(metrics.frdiv, predictions, "original"),
    }
    found: dict[str, Any] = {"scores": {}, "own_gib": {}}
    for name, score in scores.items():
        with OwnMemory() as memory:
            found["scores"][name] = stages.timed(name, score)
        found["own_gib"][name] = memory.peak
    return found


if __name__ == "__main__":
    versions = {each.__name__: each.__version__ for each in (jax, numba, numpy)}
    serve(partial(one_pass, Path(sys.argv[1])), versions)
