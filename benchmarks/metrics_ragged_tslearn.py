"""The challenge's half of `benchmarks/metrics_ragged.py`: FRD by tslearn's `dtw`.

    python benchmarks/metrics_ragged_tslearn.py DIRECTORY

Needs numpy, tqdm and tslearn alone. A clip is one task of as many processes as there are cores;
the warping is compiled before the clock starts. Prints a line of JSON.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np
import tslearn  # pyright: ignore[reportMissingImports]
from metrics_ragged_workload import load
from tslearn.metrics import dtw  # pyright: ignore[reportMissingImports]

BLOCKS = ((0, 15, 1 / 15), (15, 17, 1.0), (17, 25, 1 / 8))


def of_clip(place: tuple[str, int]) -> tuple[float, float]:
    """The clip's sum over samples of the least weighted distance, and processor seconds."""
    predictions, targets = load(Path(place[0]))
    clip, suiting = np.array(predictions[place[1]]), [*map(np.array, targets[place[1]])]
    start = time.process_time()
    total = 0.0
    for sample in clip:
        total += min(
            sum(weight * dtw(sample[:, a:b], target[:, a:b]) for a, b, weight in BLOCKS)
            for target in suiting
        )
    return total, time.process_time() - start


def main() -> None:
    folder = sys.argv[1]
    clips = len(load(Path(folder))[0])
    cores = os.cpu_count() or 1
    dtw(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32))  # compiles
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        start = time.perf_counter()
        found = pool.map(of_clip, [(folder, clip) for clip in range(clips)], chunksize=1)
        wall = time.perf_counter() - start
    scores, seconds = zip(*found, strict=True)
    answer = {"FRD": float(np.mean(scores)), "cpu": sum(seconds), "wall": wall, "cores": cores}
    print(json.dumps({**answer, "version": tslearn.__version__}))


if __name__ == "__main__":
    main()
