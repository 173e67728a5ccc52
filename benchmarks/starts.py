"""How long a command takes to its end at its first start and at its second, which finds what the
first one compiled.

    python benchmarks/starts.py --out benchmarks/results/starts_cpu.json

Both trainings of the debug preset, and ten reactions to two clips with their scores, are small
enough that starting is most of it. Each runs in a process of its own, with a cache of programs that
is empty before the first starts.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from record import machine, write

from jaxreact.commands import OPTION, run_command
from jaxreact.errors import UserError

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Starts:
    """Measures every command's first and second start."""

    out: Path | None = None
    """JSON to write; printed in any case."""


def commands(folder: Path) -> dict[str, list[str]]:
    """Name -> command line after `python`; each leaves what the next one needs."""
    data, tokenizer, predictor = (str(folder / name) for name in ("data", "tokenizer", "predictor"))
    return {
        "tokenizer": ["train_tokenizer.py", "debug", "--data", data, "--out", tokenizer],
        "predictor": [
            *("train_predictor.py", "debug", "--data", data),
            *("--tokenizer", tokenizer, "--out", predictor),
        ],
        "evaluation": [
            *("evaluate.py", "--data", data, "--split", "val", "--run", predictor),
            *("--out", str(folder / "evaluation"), "--frames", "96"),
        ],
    }


def timed(command: list[str], *options: str) -> dict[str, float]:
    """Wall and processor seconds of a command; UserError where it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command, *options], cwd=ROOT, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise UserError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall, 2), "processor_s": round(processor, 2)}


def measure(folder: Path) -> dict[str, Any]:
    data = str(folder / "data")
    timed(["-m", "jaxreact.simulation", "--out", data, "--split", "2", "2", "1", "--seconds", "5"])
    cache = folder / "programs"
    results: dict[str, Any] = {}
    for start in ("first", "second"):
        place = folder / start
        place.mkdir()
        os.symlink(data, place / "data")
        for name, command in commands(place).items():
            seconds = timed(command, OPTION, str(cache))
            results.setdefault(name, {})[start] = seconds
            print(f"{name}, {start} start: {seconds['wall_s']} s", flush=True)
    kept = list(cache.rglob("*-cache"))  # beside each lies when it was used last
    size = sum(path.stat().st_size for path in kept)
    return {"commands": results, "programs": len(kept), "bytes": size}


def main() -> None:
    config = tyro.cli(Starts, description=__doc__)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        write({**measure(Path(folder)), **machine(load)}, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
