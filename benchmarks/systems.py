"""The challenge's whole table, of one simulated world in which every system saw the same.

    python benchmarks/systems.py --preset demo --out benchmarks/results/systems_demo.json

Simulates conversations, trains every learned system of this project on them, lets each react ten
times to the clips that none has seen, and scores all alike: the same clips, frames, neighbours and
formulas. `--seeds 3` does so in three worlds, with other persons, stories and sounds.

An interrupted benchmark goes on with the same command: `--work` keeps what has been made.
"""

import json
import logging
import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
import record
import tyro
from systems_rows import ROWS, STAGES, Row, Stage
from systems_table import table
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.errors import UserError
from jaxreact.files import write_json

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Config:
    """What is trained, and on how much."""

    preset: str = "demo"
    """Preset of every stage: `demo` takes about an hour on two cores, `debug` minutes."""
    seeds: int = 1
    """Worlds."""
    dyads: tuple[int, int] = (144, 16)
    """Simulated dyads for training, and unseen ones for the scores; each gives two clips."""
    seconds: float = 30.0
    """Length of a clip."""
    pictures: int = 32
    """Side of the speakers' pictures, which Trans-VAE sees (pixels)."""
    samples: int = 10
    """Reactions to each clip."""
    work: Path = Path("runs/systems")
    """Holds data, runs and evaluations of every world."""
    out: Path | None = None
    """JSON file for the result."""

    def world(self, seed: int) -> Path:
        return self.work / self.preset / f"world_{seed}"


class Steps:
    """Commands that are run once: what each took is kept beside what it made."""

    def __init__(self, bar: tqdm):
        self.bar = bar

    def run(self, kept: Path, words: list[str]) -> dict[str, Any]:
        """Runs `python WORDS` unless it has been; returns its seconds and peak memory.

        Raises `UserError` with the command where it fails.
        """
        if kept.exists():
            found = json.loads(kept.read_text())
            if found["command"] != words:
                raise UserError(
                    f"{kept}: was made by another command; choose another --work or delete it"
                )
        else:
            found = {"command": words, **self._measure(words)}
            write_json(kept, found)
        self.bar.update()
        return found

    def _measure(self, words: list[str]) -> dict[str, float]:
        self.bar.set_description(" ".join(words[:3]))
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise UserError(f"python {' '.join(words)}: ended with {process.returncode}; see above")
        seconds = time.perf_counter() - start
        return {"seconds": round(seconds, 1), "peak_gib": round(usage.ru_maxrss / 2**20, 2)}


def train(steps: Steps, config: Config, seed: int, stage: Stage) -> dict[str, Any]:
    """Trains a stage, on from where it stands."""
    world = config.world(seed)
    words = stage.arguments(config.preset, world / "cache", world)
    words = ["-m", "jaxreact.train", *words, "--loop.seed", str(seed)]
    state = world / stage.folder / "state"
    kept = world / stage.folder / "measured.json"
    if any(path.name.isdecimal() for path in state.glob("*")) and not kept.exists():
        words.append("--resume")
    return steps.run(kept, words)


def score(steps: Steps, config: Config, seed: int, row: Row) -> dict[str, Any]:
    """Generates and scores a row; returns its measurements and its metrics.json."""
    world = config.world(seed)
    out = world / row.folder
    words = ["evaluate.py", "--data", str(world / "cache"), "--split", "val"]
    words += ["--run", str(world / row.run), "--out", str(out), *row.options]
    words += ["--samples", str(config.samples), "--seed", str(seed)]
    measured = steps.run(out / "measured.json", words)
    return {"generation": measured, "metrics": json.loads((out / "metrics.json").read_text())}


def parameters(run: Path) -> int:
    """Numbers in a run directory's models, those of the models that it holds inside included."""
    logging.getLogger("absl").setLevel(logging.ERROR)  # Orbax misses a file that it does not need
    reader: Any = ocp.PyTreeCheckpointer()
    return sum(
        math.prod(leaf.shape)
        for arrays in run.rglob("model/*/arrays")
        for leaf in jax.tree.leaves(reader.metadata(arrays).item_metadata.tree)
    )


def make_world(steps: Steps, config: Config, seed: int) -> dict[str, Any]:
    """Every row of one world."""
    world = config.world(seed)
    data = world / "data"
    simulated = ["-m", "jaxreact.data.simulate", "--out", str(data), "--seed", str(seed)]
    simulated += ["--split", *map(str, config.dyads), "1", "--seconds", str(config.seconds)]
    packed = ["-m", "jaxreact.data.prepare", "--data", str(data), "--out", str(world / "cache")]
    for kept, words in (("simulated.json", simulated), ("packed.json", packed)):
        steps.run(world / kept, [*words, "--pictures", str(config.pictures)])
    trained = {stage.folder: train(steps, config, seed, stage) for stage in STAGES}
    rows = {}
    for row in ROWS:
        found = score(steps, config, seed, row)
        taken = [trained[folder] for folder in row.stages]
        rows[row.label] = {
            "scores": found["metrics"]["scores"],
            "intervals": found["metrics"]["intervals"],
            "training_s": round(sum(each["seconds"] for each in taken), 1),
            "training_peak_gib": max(each["peak_gib"] for each in taken),
            "generation_s": found["generation"]["seconds"],
            "generation_peak_gib": found["generation"]["peak_gib"],
            "parameters": parameters(world / row.run),
            "made_by": found["metrics"].get("made_by"),
        }
        baselines = found["metrics"]["baselines"]
    for measured in trained.values():
        del measured["command"]
    return {"seed": seed, "rows": rows, "baselines": baselines, "stages": trained}


def main() -> None:
    """Prints a markdown table, and writes a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    if config.seeds < 1:
        raise UserError(f"--seeds {config.seeds} is less than 1")
    load = os.getloadavg()[0]
    with tqdm(total=config.seeds * (2 + len(STAGES) + len(ROWS)), unit="step") as bar:
        worlds = [make_world(Steps(bar), config, seed) for seed in range(config.seeds)]
    print(table(worlds))
    result = {
        "command": f"python benchmarks/systems.py --preset {config.preset} --seeds {config.seeds}"
        f" --dyads {config.dyads[0]} {config.dyads[1]}",
        "worlds": worlds,
        "device": jax.devices()[0].device_kind,
        **record.machine(load),
    }
    if config.out is not None:
        write_json(config.out, result)


if __name__ == "__main__":
    run_command(main, keep=False)
