"""How fast ten reactions to one clip are generated on a processor, beside the original.

    python benchmarks/generation.py --original CHECKOUT --out benchmarks/results/generation_cpu.json

CHECKOUT is a clone of the original repository; nothing is taken from it but its models, which need
`pip install einops` and the extra `torch`. Both sides have the released sizes and the same random
weights, carried over by `convert_weights.py`, and go the whole way: speaker's coefficients and
29.44 s of sound -> codes, audio features -> listeners' codes -> coefficients and emotion.

The original has no notion of several samples: it goes the whole way once for each. Its passes are
identical work, so one is measured and multiplied; ours always makes all samples. The two take
turns, each in a process of its own, so that both meet the same load of the machine. In every turn
the original makes a pass with one thread and one with all cores, and by each clock its better one
counts: on a busy machine its threads wait for each other, which costs it processor time too.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import record
import tyro
from generation_workload import FRAMES, STAGES
from side_by_side import CORES, Worker, convert
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.errors import UserError


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    original: Path
    """A checkout of the original repository."""
    samples: int = 10
    runs: int = 3
    """Measured turns; the fastest counts."""
    out: Path | None = None


def turns(config: Config, directory: Path) -> tuple[list[dict], list[dict], dict[str, Any]]:
    """Answers of ours (the first one compiles) and of the original, and their versions."""
    checkpoint, run = directory / "original.ckpt", directory / "converted"
    with tqdm(total=3 + config.runs * 3, unit="step", disable=None) as bar:
        original = Worker("generation_original.py", config.original.resolve(), checkpoint)
        bar.update()
        convert(checkpoint, run)
        bar.update()
        ours = Worker("generation_ours.py", run, config.samples)
        mine, theirs = [ours.run()], []
        bar.update()
        for _ in range(config.runs):
            for threads in (1, CORES):
                theirs.append(original.run(threads))
                bar.update()
            mine.append(ours.run())
            bar.update()
    ours.close()
    original.close()
    return mine, theirs, {**ours.versions, **original.versions}


def fastest(answers: list[dict], stage: str, clock: str) -> float:
    """Least seconds of a stage, or of all stages together."""
    stages = STAGES if stage == "total" else (stage,)
    return min(sum(answer["seconds"][name][clock] for name in stages) for answer in answers)


def compare(mine: list[dict], theirs: list[dict], samples: int) -> dict[str, Any]:
    """Seconds and ratio of every stage, and of all together, by both clocks."""
    first, steady = mine[:1], mine[1:]
    table = {}
    for stage in (*STAGES, "total"):
        row: dict[str, Any] = {}
        for clock in ("wall", "cpu"):
            ours, original = fastest(steady, stage, clock), fastest(theirs, stage, clock) * samples
            row[clock] = {
                "ours": round(ours, 2),
                "original": round(original, 2),
                "times_faster": round(original / ours, 2),
            }
        row["ours_compiling"] = round(fastest(first, stage, "cpu") - row["cpu"]["ours"], 2)
        table[stage] = row
    return table


def agreement(mine: dict, theirs: dict) -> dict[str, Any]:
    """That both had the same weights and the same input, told by what they made of them."""
    ours, original = (np.asarray(answer["result"]["codes"]) for answer in (mine, theirs))
    mine_features, their_features = (
        np.asarray(answer["result"]["features"]) for answer in (mine, theirs)
    )
    return {
        "speaker_codes_equal": round(float((ours == original).mean()), 4),
        "different_speaker_codes": len(set(original.tolist())),
        "audio_features_off_by_at_most": float(np.abs(mine_features - their_features).max()),
    }


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    if not (config.original / "model" / "react_predictor.py").is_file():
        raise UserError(f"{config.original}: no checkout of the original; give it by --original")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        mine, theirs, versions = turns(config, Path(directory))
    result = {
        "command": f"python benchmarks/generation.py --original CHECKOUT --runs {config.runs}",
        "what": f"{config.samples} samples of one clip of {FRAMES} frames; seconds, fastest turn",
        "original": f"{len(theirs)} passes measured, with 1 and {CORES} threads; the fastest times"
        f" {config.samples}",
        "runs_of_ours": len(mine) - 1,
        "stages": compare(mine, theirs, config.samples),
        "peak_memory_gib": {
            "ours": round(mine[-1]["peak_gib"], 2),
            "original": round(theirs[-1]["peak_gib"], 2),
        },
        "agreement": agreement(mine[0], theirs[0]),
        **record.machine(load, versions),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
