"""How fast PIRender's face generator makes pictures, beside the same network in plain PyTorch.

    python benchmarks/face_generator.py --out benchmarks/results/face_generator_cpu.json

Both at the released size, 224 x 224, on random weights, each way of running it in a process of its
own; the processes take turns, and of each the fastest pass counts. Needs the extra `torch`. With
`--device cuda` both run on the first GPU.

On a machine that others use too, processor seconds (of all threads) are the steadier measure.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import record
import tyro
from side_by_side import ON_CPU, Worker
from tqdm import tqdm

from jaxreact.commands import run_command


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    frames: int = 16
    passes: int = 4
    device: Literal["cpu", "cuda"] = "cpu"
    torch: tuple[str, ...] = ("contiguous 1", "contiguous 4", "channels_last 1", "channels_last 4")
    """Memory layouts and batch sizes of PyTorch."""
    ours: tuple[str, ...] = ("float32", "bfloat16", "plain")
    out: Path | None = None


def measure(config: Config) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """Every pass of every worker by name, and what the workers said of themselves."""
    environment = ON_CPU if config.device == "cpu" else {}
    workers: dict[str, Worker] = {}
    for name in config.ours:
        script = ("face_generator_ours.py", name, config.frames)
        workers[f"jaxreact {name}"] = Worker(*script, environment=environment)
    for name in config.torch:
        script = ("face_generator_torch.py", *name.split(), config.frames)
        workers[f"torch {name}"] = Worker(*script, environment=environment)
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for _ in tqdm(range(config.passes), "turns", disable=None):
        for name, worker in workers.items():
            answers[name].append(worker.run())
    versions: dict[str, Any] = {}
    for worker in workers.values():
        versions |= worker.versions
        worker.close()
    return answers, versions


def rows(answers: dict[str, list[dict[str, Any]]], gigaflops: float) -> dict[str, dict[str, float]]:
    """Of each way of running it, the fastest pass by each clock for itself."""
    table = {}
    for name, passes in answers.items():
        frames = len(passes[0]["result"]["means"])
        wall, cpu = (
            min(one["seconds"]["frames"][clock] for one in passes) / frames
            for clock in ("wall", "cpu")
        )
        row = {
            "frames_per_second": 1 / wall,
            "cpu_s_a_frame": cpu,
            "frames_per_cpu_second": 1 / cpu,
            "plain_gflop_per_second": gigaflops / wall,
            "plain_gflop_per_cpu_second": gigaflops / cpu,
            "peak_gib": max(one["peak_gib"] for one in passes),
        }
        table[name] = {key: float(f"{value:.4g}") for key, value in row.items()}
    return table


def ratios(table: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """How many times faster than PyTorch at its best, by both clocks."""
    best = {
        key: max(row[key] for name, row in table.items() if name.startswith("torch"))
        for key in ("frames_per_second", "frames_per_cpu_second")
    }
    return {
        name: {key: round(row[key] / value, 2) for key, value in best.items()}
        for name, row in table.items()
        if not name.startswith("torch")
    }


def difference(answers: dict[str, list[dict[str, Any]]]) -> float:
    """Greatest difference of a picture's mean from our own, of 255: the same was computed."""
    means = {name: np.array(passes[-1]["result"]["means"]) for name, passes in answers.items()}
    exact = [mean for name, mean in means.items() if "bfloat16" not in name]
    return round(max(float(np.abs(mean - exact[0]).max()) for mean in exact), 4)


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    answers, versions = measure(config)
    gigaflops = versions.pop("gigaflops_a_frame")
    table = rows(answers, gigaflops)
    result = {
        "command": f"python benchmarks/face_generator.py --frames {config.frames}"
        f" --passes {config.passes} --device {config.device}",
        "what": "fastest pass; gflop are those of the network as it is written, 224 x 224",
        "gflop_a_frame": round(gigaflops, 1),
        "pictures": table,
        "times_faster_than_the_best_torch": ratios(table),
        "greatest_difference_of_a_pictures_mean": difference(answers),
        **record.machine(load, versions),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
