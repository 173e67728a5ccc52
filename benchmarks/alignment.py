"""How long REACT 2026's alignment network takes for the targets of one clip.

    python benchmarks/alignment.py --out benchmarks/results/alignment_cpu.json

The network has the released sizes and random weights, which take as long as any. One clip of 2100
frames and ten targets of 1200 to 3000, none of its length, are aligned twice, by two draws of the
noise: the second finds again what it keeps of the targets. Programs are compiled before. `wall`
depends on what else the machine does, `cpu`, of all cores together, hardly.

What the validation split of MARS would take follows from the frames, if all its 571 clips were like
this one; that is an extrapolation. How many of its targets have another length than their clip is
not known here: as clips are of any length, nearly all are taken to.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import record
import tyro

from jaxreact import runs
from jaxreact.commands import run_command
from jaxreact.metrics.alignment.load import ALIGNMENT, Alignment
from jaxreact.metrics.alignment.network import AlignmentConfig

CLIPS = 571
LENGTH = 2100
TARGETS = tuple(range(1200, 3001, 200))


@dataclass(frozen=True)
class Config:
    """Where the result goes."""

    out: Path | None = None


def targets(seed: int) -> list[np.ndarray]:
    """Any numbers."""
    random = np.random.default_rng(seed)
    return [random.random((frames, 25), np.float32) for frames in TARGETS]


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def rounded(numbers: dict[str, float]) -> dict[str, float]:
    """For people."""
    return {name: round(number, 2) for name, number in numbers.items()}


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    model = runs.new_model(ALIGNMENT, AlignmentConfig(), seed=0)
    align = Alignment(model, {}, "random")

    def draw(number: int, given: list[np.ndarray]) -> None:
        for target in given:
            align(target, LENGTH, jax.random.key(number))

    draw(0, targets(0))
    given = targets(1)
    seconds = {
        "first_draw": measured(lambda: draw(1, given)),
        "another_draw": measured(lambda: draw(2, given)),
    }
    result: dict[str, Any] = {
        "command": "python benchmarks/alignment.py",
        "what": "seconds of the alignment network, ten targets of 1200 to 3000 frames to 2100",
        "one_clip": {name: rounded(one) for name, one in seconds.items()},
        "extrapolated_to_mars": {
            "clips": CLIPS,
            "hours": {
                name: rounded({clock: CLIPS * one / 3600 for clock, one in both.items()})
                for name, both in seconds.items()
            },
        },
    }
    record.write({**result, **record.machine(load)}, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
