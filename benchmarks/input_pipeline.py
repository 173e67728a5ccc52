"""How fast training is fed: clips a second from a cache and from a root, beside the original.

    python benchmarks/input_pipeline.py --original CHECKOUT --data ROOT --cache CACHE \\
        --out benchmarks/results/input_pipeline.json

CHECKOUT is a clone of the original repository; nothing is taken from it but its data loader and its
way of reading sound, which need `pip install pandas librosa` and the extra `torch`. CACHE is ROOT
packed by `python -m jaxreact.data.prepare`. Both sides give the same: for the predictor 288 frames
of both persons' coefficients and 10.24 s of the speaker's sound in batches of 16, for the tokenizer
736 frames of coefficients and emotion in batches of 8.

Every way of reading runs in a process of its own; they take turns, the fastest turn of each counts,
and nothing else is done with what is read. The original also reads both persons' emotion for the
predictor, and lists the frame folder of each clip: it cannot do without. Ours is timed from its
second batch on, in its first epoch and then for `--seconds`. A second measurement is of a loop that
trains: how much of it waits for data.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import record
import tyro
from jobs import answer
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.data.conversations import open_conversations
from jaxreact.data.layout import COEFFS
from jaxreact.errors import UserError

STAGES = ("predictor", "tokenizer")
WORKERS = (0, 2)
STEP_SECONDS = 0.23
"""A step of the demo's predictor on two cores: 100 epochs of 18 steps in 7 minutes."""
ELSEWHERE_SECONDS = 0.05
"""A step on an accelerator, which leaves the processor to the data: 320 clips a second."""


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    original: Path
    """A checkout of the original repository."""
    data: Path
    """Root of a data set in the REACT2024 layout."""
    cache: Path
    """The same, packed."""
    turns: int = 3
    """Measured turns; the fastest counts."""
    seconds: float = 5.0
    """Length of a measurement."""
    out: Path | None = None


def with_pictures(root: Path, view: Path) -> Path:
    """`root` as the original wants it: with a frame folder for every clip, all the same one.

    Its pictures are never opened; they are counted, so there are as many as a clip has frames.
    """
    dyads = open_conversations(root).dyads("train", (COEFFS,), mirrored=False)
    frames = view / "frames"
    frames.mkdir(parents=True)
    for number in range(min(dyad.frames for dyad in dyads)):
        (frames / f"{number + 1}.png").touch()
    for split in ("train", "val"):
        (view / split).mkdir()
        (view / f"{split}.csv").symlink_to(root.resolve() / f"{split}.csv")
        for folder in ("3D_FV_files", "Emotion", "Audio_files"):
            (view / split / folder).symlink_to(root.resolve() / split / folder)
        for dyad in open_conversations(root).dyads(split, (COEFFS,), mirrored=False):
            for clip in (dyad.speaker, dyad.listener):
                link = view / split / "Video_files" / clip.name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(frames)
    faces = view / "external" / "FaceVerse"  # where the original looks for it, below its own root
    faces.mkdir(parents=True)
    for name in ("mean_face.npy", "std_face.npy"):
        np.save(faces / name, np.load(root / "mean_face.npy"))
    return view


def measure(script: str, *arguments: object, folder: Path | None = None) -> dict[str, Any]:
    """The answer of a script of this directory, on the processor."""
    return answer(script, *arguments, environment={"JAX_PLATFORMS": "cpu"}, folder=folder)


def ways(config: Config, view: Path) -> dict[tuple[str, str, int], Any]:
    """What to call for each stage, source and number of workers."""
    table = {}
    for stage in STAGES:
        for workers in WORKERS:
            common = (stage, workers, config.seconds)
            for name, source in (("cache", config.cache), ("root", config.data)):
                arguments = ("input_pipeline_ours.py", source.resolve(), *common)
                table[stage, name, workers] = (arguments, None)
            arguments = ("input_pipeline_original.py", config.original.resolve(), view, *common)
            table[stage, "original", workers] = (arguments, view)
    return table


def take_turns(config: Config, view: Path) -> dict[tuple[str, str, int], list[dict[str, Any]]]:
    """Answers of every way, turn by turn."""
    table = ways(config, view)
    answers: dict[tuple[str, str, int], list[dict[str, Any]]] = {way: [] for way in table}
    with tqdm(total=config.turns * len(table), unit="run", disable=None) as bar:
        for _ in range(config.turns):
            for way, (arguments, folder) in table.items():
                answers[way].append(measure(*arguments, folder=folder))
                bar.update()
    return answers


def compare(answers: dict[tuple[str, str, int], list[dict[str, Any]]]) -> dict[str, Any]:
    """Clips a second of every way, and how many times the original's better one they are."""
    rates = {way: max(each["clips_per_s"] for each in given) for way, given in answers.items()}
    table: dict[str, Any] = {}
    for stage in STAGES:
        original = max(rates[stage, "original", workers] for workers in WORKERS)
        rows = {}
        for (of, source, workers), rate in rates.items():
            if of != stage:
                continue
            row: dict[str, Any] = {"clips_per_s": round(rate, 1)}
            if source != "original":
                given = answers[of, source, workers]
                row["times_original"] = round(rate / original, 1)
                row["first_epoch"] = round(max(each["first_epoch"] for each in given), 1)
                row["seconds_to_first_batch"] = round(min(each["first_s"] for each in given), 2)
            rows[f"{source}, {workers} workers"] = row
        table[stage] = rows
    return table


def agreement(answers: dict[tuple[str, str, int], list[dict[str, Any]]]) -> dict[str, Any]:
    """How far the first validation items of ours are from the original's, at some places."""
    found: dict[str, Any] = {}
    for stage in STAGES:
        theirs = answers[stage, "original", 0][0]["sample"]
        for source in ("cache", "root"):
            ours = answers[stage, source, 0][0]["sample"]
            found[f"{stage}, {source}"] = {
                name: float(np.abs(np.subtract(ours[name], theirs[name])).max()) for name in theirs
            }
    return found


def idle(config: Config) -> dict[str, Any]:
    """Share of a training loop that waits for data, with steps on this processor and elsewhere."""
    rows = {}
    for where, seconds in (("here", STEP_SECONDS), ("elsewhere", ELSEWHERE_SECONDS)):
        for name, source in (("cache", config.cache), ("root", config.data)):
            for workers in WORKERS:
                arguments = (source.resolve(), workers, where, seconds)
                given = [measure("input_pipeline_idle.py", *arguments) for _ in range(config.turns)]
                row = min(given, key=lambda each: each["waiting_share"])
                rows[f"steps {where}, {name}, {workers} workers"] = row
    return rows


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    if not (config.original / "dataset" / "dataloader.py").is_file():
        raise UserError(f"{config.original}: no checkout of the original; give it by --original")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        answers = take_turns(config, with_pictures(config.data, Path(directory) / "view"))
    sides = (answers["predictor", side, 0][0]["versions"] for side in ("cache", "original"))
    versions = {name: version for side in sides for name, version in side.items()}
    result = {
        "command": "python benchmarks/input_pipeline.py --original CHECKOUT --data ROOT"
        f" --cache CACHE --turns {config.turns} --seconds {config.seconds:g}",
        "what": "clips a second, fastest turn; from memory where the system keeps files in it",
        "dyads": len(open_conversations(config.cache).dyads("train")),
        "reading": compare(answers),
        "waiting_for_data": idle(config),
        "differs_from_original_by_at_most": agreement(answers),
        **record.machine(load, versions),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
