"""How long the scores of predicted reactions take, beside the original's own functions.

    python benchmarks/metrics.py --original CHECKOUT --out benchmarks/results/metrics_cpu.json

CHECKOUT is a clone of the original repository; nothing is taken from it but its `metrics` folder,
which needs `pip install tslearn pandas` and the extra `torch`. Both sides score the same arrays
(`metrics_workload.py`) in processes of their own, in turns; the fastest pass counts, by each clock
for itself. Our first pass, which compiles, is told apart. Then we alone score arrays of the
validation set's size, once, in a new process, memory-mapped.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import metrics_workload
import record
import tyro
from side_by_side import Worker
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.errors import UserError


@dataclass(frozen=True)
class Config:
    """What to score, and how often."""

    original: Path
    """A checkout of the original repository."""
    clips: int = 16
    samples: int = 10
    frames: int = 750
    passes: int = 2
    """Of the original; each is followed by two of ours."""
    full: int = 1124
    """Clips of the run of ours alone, those of the validation split; 0 for none."""
    out: Path | None = None


def side_by_side(config: Config, directory: Path) -> dict[str, Any]:
    """Both sides' answers, those of our first pass apart, and versions."""
    metrics_workload.make(directory, config.clips, config.samples, config.frames)
    original = Worker("metrics_original.py", config.original.resolve(), directory)
    ours = Worker("metrics_ours.py", directory)
    answers: dict[str, Any] = {"first": ours.run(), "ours": [], "original": []}
    for _ in tqdm(range(config.passes), "turns", disable=None):
        answers["original"].append(original.run())
        answers["ours"] += [ours.run(), ours.run()]
    answers["versions"] = original.versions | ours.versions
    original.close()
    ours.close()
    return answers


def compare(answers: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Each score's seconds, the ratio, and both values."""
    table = {}
    for name, first in answers["first"]["seconds"].items():
        row = {"ours_first_wall_s": first["wall"]}
        for clock in ("wall", "cpu"):
            for side in ("original", "ours"):
                row[f"{side}_{clock}_s"] = min(
                    answer["seconds"][name][clock] for answer in answers[side]
                )
            row[f"times_faster_{clock}"] = row[f"original_{clock}_s"] / row[f"ours_{clock}_s"]
        for side in ("original", "ours"):
            row[f"{side}_score"] = answers[side][-1]["result"]["scores"][name]
        table[name] = {key: float(f"{value:.7g}") for key, value in row.items()}
    return table


def alone(config: Config, directory: Path) -> dict[str, Any]:
    """One pass of ours in a new process. The six scores contain FRSyn of all samples only."""
    metrics_workload.make(directory, config.full, config.samples, config.frames)
    ours = Worker("metrics_ours.py", directory)
    answer = ours.run()
    ours.close()
    seconds = {name: round(each["wall"], 2) for name, each in answer["seconds"].items()}
    six = sum(value for name, value in seconds.items() if name != "FRSyn, first sample")
    memory = {name: round(each, 2) for name, each in answer["result"]["own_gib"].items()}
    return {
        "clips": config.full,
        "six_scores_wall_s": round(six, 1),
        "wall_s": seconds,
        "peak_gib_without_mapped_files": memory,
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    """For people."""
    columns = ("original_wall_s", "ours_first_wall_s", "ours_wall_s", "times_faster_wall")
    lines = [" " * 20 + "  ".join(f"{column:>17}" for column in columns)]
    for name, row in rows.items():
        lines.append(f"{name:20}" + "  ".join(f"{row[column]:17.4g}" for column in columns))
    return "\n".join(lines)


def main() -> None:
    """Prints a table, and prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    if not (config.original / "metrics" / "TLCC.py").is_file():
        raise UserError(f"{config.original}: no checkout of the original; give it by --original")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        answers = side_by_side(config, Path(directory))
    rows = compare(answers)
    print(table(rows))
    result: dict[str, Any] = {
        "command": f"python benchmarks/metrics.py --original CHECKOUT --clips {config.clips}"
        f" --passes {config.passes} --full {config.full}",
        "what": "seconds of each score, fastest pass",
        "arrays": [config.clips, config.samples, config.frames, 25],
        "neighbours": metrics_workload.NEIGHBOURS,
        "scores": rows,
        "peak_gib": {
            side: round(answers[side][-1]["peak_gib"], 2) for side in ("original", "ours")
        },
    }
    if config.full:
        with tempfile.TemporaryDirectory() as directory:
            result["full_size"] = alone(config, Path(directory))
    result |= record.machine(load, answers["versions"])
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
