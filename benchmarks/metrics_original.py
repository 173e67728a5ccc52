"""The original's half of `benchmarks/metrics.py`: a worker that scores when told to.

    python benchmarks/metrics_original.py CHECKOUT DIRECTORY

Calls the functions of a checkout's own `metrics` folder as its `compute` does, with as many
processes as there are cores; FRSyn of all samples by `compute_TLCC`, the only one that looks at
them, which uses one core. Its warping is compiled before the clock starts.
"""

import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from metrics_workload import load
from side_by_side import CORES, HERE, Stages, serve


def functions(checkout: Path, directory: Path) -> dict[str, Callable[[], Any]]:
    """Each score's function of no arguments."""
    # Its `metrics` has no __init__.py, so that our metrics.py would be taken for it.
    sys.path[:] = [str(checkout), *(each for each in sys.path if Path(each) != HERE)]
    from metrics.FRC import compute_FRC_mp  # pyright: ignore[reportMissingImports]
    from metrics.FRD import compute_FRD_mp  # pyright: ignore[reportMissingImports]
    from metrics.FRDvs import compute_FRDvs  # pyright: ignore[reportMissingImports]
    from metrics.FRVar import compute_FRVar  # pyright: ignore[reportMissingImports]
    from metrics.S_MSE import compute_s_mse  # pyright: ignore[reportMissingImports]
    from metrics.TLCC import compute_TLCC, compute_TLCC_mp  # pyright: ignore[reportMissingImports]

    *arrays, neighbours = load(directory)
    np.save(directory / "neighbour_emotion_val.npy", neighbours)
    predictions, listener, speaker = (torch.from_numpy(np.array(array)) for array in arrays)
    return {
        "FRC": partial(compute_FRC_mp, str(directory), predictions, listener, p=CORES),
        "FRD": partial(compute_FRD_mp, str(directory), predictions, listener, p=CORES),
        "FRSyn, first sample": partial(compute_TLCC_mp, predictions, speaker, p=CORES),
        "FRSyn, all samples": partial(compute_TLCC, predictions, speaker),
        "FRDvs": partial(compute_FRDvs, predictions),
        "FRVar": partial(compute_FRVar, predictions),
        "FRDiv": partial(compute_s_mse, predictions),
    }


def one_pass(scores: dict[str, Callable[[], Any]], stages: Stages, _: int) -> dict[str, Any]:
    """All scores; the time of the pool's processes counts as processor time."""
    found = {}
    for name, score in scores.items():
        before = _seconds_of_children()
        found[name] = float(stages.timed(name, score))
        stages.seconds[name]["cpu"] += _seconds_of_children() - before
    return {"scores": found}


def _seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    checkout, directory = map(Path, sys.argv[1:])
    scores = functions(checkout, directory)
    import tslearn  # pyright: ignore[reportMissingImports]
    from tslearn.metrics import dtw  # pyright: ignore[reportMissingImports]

    dtw(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32))
    versions = {"torch": torch.__version__, "tslearn": tslearn.__version__}
    serve(partial(one_pass, scores), versions)


if __name__ == "__main__":
    main()
