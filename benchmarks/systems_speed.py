"""How fast the other systems of the challenge's table are on a processor, beside the originals.

    cd benchmarks
    python systems_speed.py --original FOLDER --out results/systems_speed_cpu.json

FOLDER holds clones of the originals' repositories, by their names: `baseline_react2024`
(reactmultimodalchallenge) and `learning2listen` (evonneng). Nothing is taken from them but their
models and losses, which need `pip install einops` and the extra `torch`; whatever else their files
import is not needed. Both sides have the released sizes and the same random weights, carried over
by `convert_weights.py`, and the same made-up inputs in memory: reading, resizing pictures and
computing audio features are no part of it.

The sides take turns, each in a process of its own for each job. In every turn the original makes a
pass with one thread and one with all cores, and by each clock its better one counts. What takes
minutes (Trans-VAE) each side does once, the original with one thread.

- Of Trans-VAE's ten reactions the original makes one, times ten: it goes the whole way for each.
- Learning2Listen is measured twice: computing what the original does, and, "corrected", as our own
  trainings are generated with, which is not the same and is therefore not compared.
- A training step of Trans-VAE with four clips of 256 frames takes the original more than 50 GiB.
  It makes one of `--clips` clips of `--crop` frames (1 of 256 takes some 15 GiB, 1 of 128 4 GiB),
  and its seconds are multiplied by how many more frames are encoded; ours makes both steps.

`--out` is kept where it exists: a job that is measured again replaces what it says of it.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import record
import tyro
from side_by_side import CORES, HERE, Worker
from systems_speed_table import Measured, row
from systems_speed_workload import HELD_OUT, JOBS, SIZES, WINDOW
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.errors import UserError

RELEASED = SIZES["released"]
LAST = {"baseline_react2024": "train_belfusion.py", "learning2listen": "src/test_vq_decoder.py"}
"""A file that each repository has."""


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    original: Path
    """A folder with clones of baseline_react2024 and learning2listen."""
    jobs: tuple[str, ...] = tuple(JOBS)
    turns: int = 3
    """Of the jobs that take seconds; the fastest pass counts."""
    clips: int = 1
    """Of the original's training step of Trans-VAE."""
    crop: int = RELEASED.crop
    """Frames of these clips; a multiple of 16."""
    out: Path | None = None


@dataclass
class Bench:
    """Where the weights are, and the processes that use them."""

    config: Config
    directory: Path
    versions: dict[str, Any] = field(default_factory=dict)

    def measure(self, name: str) -> Measured:
        """Answers of both sides, in turns."""
        job, theirs, mine = JOBS[name], [], []
        original = self._original(name)
        run = self._converted(job.system)
        if job.long:
            theirs.append(original.run(1))
            original.close()
            mine, same = self._once(name, run, RELEASED.clips, RELEASED.crop), []
            if name == "trans-vae-step":
                same = self._once(name, run, self.config.clips, self.config.crop)
            return Measured(mine, theirs, same, self.config.clips, self.config.crop)
        ours = self._ours(name, run)
        mine.append(ours.run())
        for _ in range(self.config.turns):
            theirs += [original.run(threads) for threads in (1, CORES)]
            mine.append(ours.run())
        for worker in (ours, original):
            worker.close()
        return Measured(mine, theirs)

    def _once(self, name: str, run: Path, clips: int, crop: int) -> list[dict[str, Any]]:
        worker = self._ours(name, run, clips, crop)
        answers = [worker.run()]
        worker.close()
        return answers

    def _original(self, name: str) -> Worker:
        checkout = self.config.original.resolve() / JOBS[name].checkout
        arguments = (name, checkout, self.directory, self.config.clips, self.config.crop)
        return self._known(Worker("systems_speed_original.py", *arguments))

    def _ours(
        self, name: str, run: Path, clips: int = RELEASED.clips, crop: int = RELEASED.crop
    ) -> Worker:
        return self._known(Worker("systems_speed_ours.py", name, run, clips, crop))

    def _known(self, worker: Worker) -> Worker:
        self.versions |= worker.versions
        return worker

    def _converted(self, system: str) -> Path:
        """The system's run directory, in the original's mode unless it says so."""
        out, source = self.directory / f"{system} converted", self.directory
        if out.exists():
            return out
        if system == "trans-vae":
            checkpoint = source / "trans-vae" / "best_checkpoint.pth"
            _convert(system, checkpoint, out, "--window", WINDOW, "--mode", "original")
        elif system == "belfusion-vae":
            _convert(system, source / "vae", out)
        elif system == "belfusion":
            mean, vae = source / "mean_face.npy", source / "vae"
            np.save(mean, np.zeros(58, np.float32))
            _convert(system, source / "ldm", out, "--vae", vae, "--mean-face", mean)
        else:
            coder, listener = (source / part / "l2l_best.pth" for part in ("vqvae", "predictor"))
            corrected = ("--code-layout", "time", "--mode", "corrected")
            more = corrected if system.endswith("corrected") else ()
            _convert("learning2listen", listener, out, "--vqvae", coder, *more)
        return out


def _convert(*arguments: object) -> None:
    script = HERE.parent / "convert_weights.py"
    subprocess.run(
        [sys.executable, str(script), *map(str, arguments)], check=True, stdout=sys.stderr
    )


def check(config: Config) -> None:
    """Raises UserError for a job that there is not, and a repository that is missing."""
    for name in config.jobs:
        if name not in JOBS:
            raise UserError(f"--jobs {name}: no such job; choose of {', '.join(JOBS)}")
        if config.crop % WINDOW or config.crop < HELD_OUT or config.clips < 1:
            raise UserError(
                f"--clips {config.clips}, --crop {config.crop}: 1 or more, a multiple of {WINDOW}"
            )
        checkout = JOBS[name].checkout
        if not (config.original / checkout / LAST[checkout]).is_file():
            raise UserError(
                f"{config.original}: holds no clone of {checkout}; give it by --original"
            )


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    check(config)
    held = config.out is not None and config.out.exists()
    jobs: dict[str, Any] = json.loads(config.out.read_text())["jobs"] if held else {}  # pyright: ignore[reportOptionalMemberAccess]
    for name in tqdm(config.jobs, unit="job", disable=None):
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as directory:
            bench = Bench(config, Path(directory))
            measured = bench.measure(name)
        jobs[name] = row(name, measured, record.machine(load, bench.versions))
        result = {
            "command": "python benchmarks/systems_speed.py --original FOLDER"
            f" --turns {config.turns} --clips {config.clips} --crop {config.crop}",
            "what": "seconds of a pass, the fastest; peak memory of the process",
            "jobs": {each: jobs[each] for each in JOBS if each in jobs},
        }
        record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
