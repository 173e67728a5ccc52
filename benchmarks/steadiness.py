"""How steady the faces of streams are, with and without smoothing, and what smoothing costs.

    python benchmarks/steadiness.py --out benchmarks/results/steadiness_cpu.json

Takes a world that `benchmarks/systems.py` has made: its frame-wise listener and its FIBER react as
streams, in long and in short steps, to the clips that none has seen. The same reactions are scored
as they are, and smoothed as a stream with `smoothing=N` does it. Seams are looked for at the ends
of steps, and of 8 frames for steps of one. A face is scored at its own time; that it is shown N
frames later is told apart.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import record
import tyro
from jaxtyping import Float
from tqdm import tqdm

from jaxreact import metrics
from jaxreact.commands import run_command
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import evaluation_items
from jaxreact.data.split import Split, open_split
from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.metrics.face_jitter import FACE_JITTER
from jaxreact.metrics.face_seams import FACE_SEAMS
from jaxreact.metrics.frc import FRC
from jaxreact.metrics.frd import FRD
from jaxreact.metrics.jitter import JITTER
from jaxreact.metrics.seams import SEAMS
from jaxreact.streaming.long_clip import answers, can_stream
from jaxreact.streaming.smoothing import smoothed
from jaxreact.systems.system import OnlineSystem, load

SCORES = (FRC, FRD, JITTER, FACE_JITTER, SEAMS, FACE_SEAMS)
SHORT = 8
"""Frames from border to border at which shorter steps are looked at."""


@dataclass(frozen=True)
class Row:
    """A system that answers so many frames at once."""

    label: str
    run: str
    """Folder of its run directory in a world."""
    step: int

    @property
    def period(self) -> int:
        """Frames from border to border."""
        return max(self.step, SHORT)


ROWS = (
    Row("frame-wise, steps of 8", "framewise", 8),
    Row("frame-wise, steps of 1", "framewise", 1),
    Row("FIBER, steps of 32", "fiber/predictor", 32),
    Row("FIBER, steps of 8", "fiber/predictor", 8),
)


@dataclass(frozen=True)
class Config:
    """What reacts to what."""

    world: Path = Path("runs/systems/demo/world_0")
    """Folder of a world of `benchmarks/systems.py`."""
    samples: int = 10
    """Reactions to each clip."""
    frames: int = 736
    """Of each clip, at most."""
    smoothing: tuple[int, ...] = (0, 2, 4)
    """Frames before and after each that it is averaged with."""
    out: Path | None = None
    """JSON file for the result."""


@dataclass(frozen=True)
class Made:
    """Reactions to every clip, raw."""

    emotion: Float[np.ndarray, "clips samples frames 25"]
    coeffs: Float[np.ndarray, "clips samples frames 58"]

    def smoothed(self, frames: int) -> "Made":
        """The same of streams that average each frame with so many before and after it."""
        parts = (self.emotion, self.coeffs)
        return Made(*(np.stack([smoothed(clip, frames) for clip in part]) for part in parts))


def opened(run: Path, step: int) -> OnlineSystem:
    """A system that answers so many frames at once."""
    system = load(run)
    if not can_stream(system):
        raise UserError(f"{run}: {system.name} answers whole clips only")
    return system.in_steps(step)


def streamed(system: OnlineSystem, split: Split, frames: int, samples: int) -> Made:
    """What streams answer, each with the key that evaluate.py gives its clip."""
    wanted = (Modality("speaker", "coeffs"), Modality("speaker", "waveform"))
    items = evaluation_items(split.data, split.dyads, frames, modalities=wanted)
    made: list[tuple[np.ndarray, np.ndarray]] = []
    for number in tqdm(range(len(split.dyads)), system.name, unit="clip", disable=None):
        item, key = items[number], jax.random.fold_in(jax.random.key(0), number)
        sound: Iterator[np.ndarray] = iter([item["speaker_waveform"]])
        rows = {"coeffs": item["speaker_coeffs"]}
        reactions = list(answers(system, rows, sound, samples, key=key))
        shape = (frames, samples, -1)
        emotion = np.stack([each.emotion for each in reactions]).reshape(shape)
        coeffs = np.stack([np.asarray(each.coeffs) for each in reactions]).reshape(shape)
        made.append((emotion.swapaxes(0, 1), coeffs.swapaxes(0, 1)))
    emotion, coeffs = (np.stack(part) for part in zip(*made, strict=True))
    return Made(emotion, coeffs)


def scored(made: Made, split: Split, period: int) -> dict[str, dict[str, Any]]:
    """Each score with its 95 % interval over conversations."""
    frames = made.emotion.shape[2]
    found = metrics.clipwise(
        *(made.emotion, *split.emotions(frames), split.neighbours()),
        scores=SCORES,
        faces=metrics.Faces(made.coeffs, *split.faces(frames)),
        period=period,
    )
    intervals = metrics.intervals(found, groups=split.conversations)
    return {
        name: {"value": round(each.value, 4), "interval": [round(each.low, 4), round(each.high, 4)]}
        for name, each in intervals.items()
    }


def truth(split: Split, frames: int) -> dict[str, dict[str, float]]:
    """The recorded listeners' own seams, by the period at which they are looked for."""
    people = Made(split.emotions(frames)[0][:, None], split.faces(frames)[0][:, None])
    found = {}
    for period in sorted({row.period for row in ROWS}):
        own = scored(people, split, period)
        found[f"{period} frames"] = {name: own[name]["value"] for name in ("Seams", "FaceSeams")}
    return found


def run(config: Config) -> None:
    """Every row in turn."""
    if not (config.world / "cache").is_dir():
        raise UserError(
            f"{config.world}: no world; make one with benchmarks/systems.py, or give --world"
        )
    before, split = os.getloadavg()[0], open_split(config.world / "cache", "val")
    frames = split.common_frames(config.frames, max(row.step for row in ROWS))
    rows: dict[str, Any] = {}
    for row in ROWS:
        made = streamed(opened(config.world / row.run, row.step), split, frames, config.samples)
        rows[row.label] = {
            f"smoothing {number}": {
                "delay_ms": number * 1000 // FPS,
                **scored(made.smoothed(number), split, row.period),
            }
            for number in config.smoothing
        }
    result = {
        "command": f"python benchmarks/steadiness.py --samples {config.samples}"
        f" --frames {frames} --smoothing {' '.join(map(str, config.smoothing))}",
        "clips": len(split.dyads),
        "rows": rows,
        "truth": truth(split, frames),
        **record.machine(before),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(lambda: run(tyro.cli(Config, description=__doc__)), keep=False)
