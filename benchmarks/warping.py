"""What SIMD lanes, and giving up early, save of FRD beside a search that does without.

    python benchmarks/warping.py --out benchmarks/results/warping_cpu.json

`lanes`: every comparison goes to its end, in lanes (`jaxreact.metrics.warping.simd`), in plain
loops that numba compiles, one pair at a time on as many threads, or by JAX
(`jaxreact.metrics.warping.dtw`). `giving up`: the search as FRD has it, and one that goes through
with all. The ways take turns on the arrays of `metrics_workload.py` and must find the same
distances; giving up also where every one of 48 simulated listeners is compared with all. A ratio is
of medians, its quartiles of the rounds' own ratios, all of processor time,
which other programs disturb least.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import metrics_workload
import numpy as np
import record
import tyro
from numba import njit
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.data.split import open_split
from jaxreact.metrics.warping.dtw import BLOCKS
from jaxreact.metrics.warping.nearest import nearest_distances
from jaxreact.metrics.warping.pairs import WEIGHTS
from jaxreact.simulation import SimulateConfig, simulate


@dataclass(frozen=True)
class Config:
    """What to search, and how often."""

    rounds: int = 15
    out: Path | None = None


@njit(nogil=True, fastmath=True)
def warped(x, y, first, last):
    """The squared warping distance of two sequences over some channels."""
    above = np.full(len(y) + 1, np.float32(np.inf))
    above[0] = 0
    for row in range(len(x)):
        corner, above[0] = above[0], np.float32(np.inf)
        for column in range(len(y)):
            cost = np.float32(0)
            for channel in range(first, last):
                step = x[row, channel] - y[column, channel]
                cost += step * step
            best = min(min(above[column + 1], above[column]), corner)
            corner, above[column + 1] = above[column + 1], cost + best
    return above[-1]


def plain_loops(predicted: np.ndarray, truth: np.ndarray, lists: list[np.ndarray]) -> np.ndarray:
    """As `nearest_distances`."""

    def total(x: np.ndarray, y: np.ndarray) -> float:
        parts = [np.sqrt(np.float64(warped(x, y, *block))) for block in BLOCKS]
        return float(WEIGHTS @ parts)

    def nearest(place: tuple[int, int]) -> float:
        return min(total(predicted[place], truth[other]) for other in lists[place[0]])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(nearest, np.ndindex(predicted.shape[:2])))
    return np.reshape(found, predicted.shape[:2])


def arrays(clips: int, samples: int, frames: int) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Predictions, truth, and each clip's neighbours."""
    with tempfile.TemporaryDirectory() as folder:
        metrics_workload.make(Path(folder), clips, samples, frames)
        predicted, truth, _, near = map(np.array, metrics_workload.load(Path(folder)))
    return predicted, truth, [np.flatnonzero(row) for row in near]


def listeners(dyads: int) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Two listeners to each clip, and all listeners to compare them with."""
    with tempfile.TemporaryDirectory() as folder:
        simulate(SimulateConfig(Path(folder) / "data", split=(1, dyads, 1)))
        truth = open_split(Path(folder) / "data", "val").emotions(736)[0]
    random = np.random.default_rng(0)
    predicted = np.stack([truth[random.permutation(len(truth))] for _ in range(2)], axis=1)
    return predicted, truth, [np.arange(len(truth))] * len(truth)


def measure(ways: dict[str, Callable[[], np.ndarray]], rounds: int) -> dict[str, Any]:
    """Seconds of each way, and what it takes beside the first."""
    first = next(iter(ways))
    times: dict[str, list[float]] = {name: [] for name in ways}
    expected = {name: way() for name, way in ways.items()}  # compiles
    for name, distances in expected.items():
        np.testing.assert_allclose(distances, expected[first], rtol=1e-5, err_msg=name)
    for number in tqdm(range(rounds), "rounds", disable=None):
        for name in np.random.default_rng(number).permutation(list(ways)):
            start = time.process_time()
            ways[name]()
            times[name].append(time.process_time() - start)
    table = {}
    for name, seconds in times.items():
        ratios = [b / a for a, b in zip(times[first], seconds, strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        table[name] = {
            "median_cpu_s": round(statistics.median(seconds), 3),
            "times_ours": round(statistics.median(seconds) / statistics.median(times[first]), 2),
            "quartiles": [round(low, 2), round(high, 2)],
        }
    return table


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    few, many = (4, 4, 250), (16, 10, 750)
    given = arrays(*few)
    ends = partial(nearest_distances, kernel="cpu", prune=False)
    lanes = {
        "lanes": partial(ends, *given),
        "plain loops": partial(plain_loops, *given),
        "jax": partial(nearest_distances, *given, kernel="jax"),
    }
    early = {}
    for name, given in {"10 others": arrays(*many), "48 others": listeners(24)}.items():
        ways = {
            "given up": partial(nearest_distances, *given, kernel="cpu", prune=True),
            "to the end": partial(ends, *given),
        }
        early[name] = {"arrays": given[0].shape, **measure(ways, config.rounds)}
    result = {
        "command": f"python benchmarks/warping.py --rounds {config.rounds}",
        "what": "processor seconds of the search for the nearest reactions, and ratio to the first",
        "neighbours": metrics_workload.NEIGHBOURS,
        "lanes": {"arrays": [*few, 25], **measure(lanes, config.rounds)},
        "giving up": early,
        **record.machine(load),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
