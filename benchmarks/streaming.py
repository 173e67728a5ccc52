"""How soon streams answer, and how many of them a machine holds.

    python benchmarks/streaming.py --out benchmarks/results/streaming_cpu.json

Systems of random weights, everything included: what is fed is checked, brought to its rate,
encoded, answered and decoded. *A step*: one stream, from the last sample of a step to its
reactions. *Load*: streams in real time, each fed every 40 ms and at another moment of its step, all
in one pool; how late after the last frame of its step a stream gets its reactions, and memory over
`--seconds`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import record
import tyro
from jobs import answer
from tqdm import tqdm

from jaxreact.commands import run_command

JOB = "streaming_jobs.py"
STEPS = (
    ("fiber, released sizes", 32),
    ("fiber, released sizes", 8),
    ("fiber, demo sizes", 32),
    ("fiber, demo sizes", 8),
    ("framewise, demo sizes", 8),
    ("framewise, demo sizes", 1),
)
LOADS = (
    ("framewise, demo sizes", 8, 20),
    ("framewise, demo sizes", 8, 64),
    ("fiber, demo sizes", 32, 20),
    ("fiber, demo sizes", 32, 64),
)


@dataclass(frozen=True)
class Config:
    """What to measure, and how long."""

    steps: int = 50
    """Of one stream."""
    seconds: float = 60.0
    """Of each load."""
    out: Path | None = None
    """JSON file for the result."""


def run(config: Config) -> None:
    """All jobs, one after the other."""
    before = os.getloadavg()[0]
    bar = tqdm(total=len(STEPS) + len(LOADS), unit="job", disable=None)
    steps: dict[str, Any] = {}
    for name, frames in STEPS:
        label = f"{name}, {frames} frames at once"
        steps[label] = answer(JOB, "step", name, frames, config.steps)
        bar.update()
    loads: dict[str, Any] = {}
    for name, frames, streams in LOADS:
        label = f"{streams} streams: {name}, {frames} frames at once"
        loads[label] = answer(JOB, "load", name, frames, streams, config.seconds)
        bar.update()
    bar.close()
    command = f"python benchmarks/streaming.py --steps {config.steps} --seconds {config.seconds:g}"
    result = {"command": command, "steps": steps, "loads": loads, **record.machine(before)}
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(lambda: run(tyro.cli(Config, prog="python benchmarks/streaming.py")))
