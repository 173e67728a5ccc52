"""What a run has logged so far, read from its directory without TensorFlow."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jaxreact.errors import UserError, reading
from jaxreact.files import read_json

PICTURES = "pictures/"
"""Prefix of the tags of pictures."""

_KEEP = {"scalars": 0, "tensors": 0, "images": 8, "histograms": 1, "audio": 1}
"""Events of a tag that are held, 0 for all; of pictures some, the latest among them."""


def _is_news(log: logging.LogRecord) -> bool:
    return not str(log.msg).startswith("Detected out of order")


# TensorBoard warns of the points of a killed start that a resumed one repeats.
logging.getLogger("tensorboard").addFilter(_is_news)


@dataclass(frozen=True)
class Curve:
    """The values of one tag, one for each step, in order."""

    steps: Int[np.ndarray, " points"]
    values: Float[np.ndarray, " points"]
    """Finite."""
    lost: int = 0
    """How many more were not finite."""

    @property
    def last(self) -> float:
        return float(self.values[-1])

    def best(self, highest: bool) -> tuple[float, int]:
        """The lowest (or highest) value and the first step that reached it."""
        index = int(np.argmax(self.values) if highest else np.argmin(self.values))
        return float(self.values[index]), int(self.steps[index])


@dataclass(frozen=True)
class Picture:
    """The latest picture of a tag."""

    step: int
    png: bytes


@dataclass(frozen=True)
class Record:
    """A run directory's configuration and all that was logged."""

    directory: Path
    config: dict[str, Any]
    """Content of config.json."""
    curves: dict[str, Curve]
    """By tag, such as `training/loss`; sorted."""
    pictures: dict[str, Picture]
    """By name, without the tag's prefix."""
    starts: Sequence[dict[str, Any]]
    """What each start of the run wrote of itself (`RunLog`), from the first on."""
    stopped: dict[str, Any] | None
    """After which step the last start ended before its time, and why; None if it did not."""
    began: float
    ended: float
    """Seconds since 1970 of the first and the last entry."""

    @property
    def step(self) -> int:
        """The last update of which anything is known."""
        return max((int(curve.steps[-1]) for curve in self.curves.values()), default=0)

    @property
    def total(self) -> int | None:
        """Updates of the whole training, where the run says so."""
        return self.starts[-1].get("total") if self.starts else None

    @property
    def finished(self) -> bool:
        return self.total is not None and self.step >= self.total


def read_record(directory: str | Path) -> Record:
    """Reads a run directory, finished or not.

    A run that was resumed has several event files: of each step of a tag the value written last
    counts. Raises `UserError` for a directory that holds no training.
    """
    directory = Path(directory)
    config = _config(directory)
    _check_events(directory)
    with reading(directory / "tensorboard", "an event file in it is damaged", "remove that one"):
        return _read(directory, config)


def _read(directory: Path, config: dict[str, Any]) -> Record:
    reader = EventAccumulator(str(directory / "tensorboard"), _KEEP).Reload()
    tags = reader.Tags()
    scalars = {tag: reader.Scalars(tag) for tag in tags["scalars"]}
    curves = {tag: _curve(entries) for tag, entries in sorted(scalars.items())}
    starts, stops = (_texts(reader, tag) for tag in ("started", "stopped"))
    times = [entry.wall_time for entries in scalars.values() for entry in entries]
    times += [at for at, _ in (*starts, *stops)] or [reader.FirstEventTimestamp() or 0.0]
    ended_early = [note for at, note in stops if not starts or at >= starts[-1][0]]
    return Record(
        directory=directory,
        config=config,
        curves={tag: curve for tag, curve in curves.items() if curve.steps.size},
        pictures=_pictures(reader, tags["images"]),
        starts=[note for _, note in starts],
        stopped=ended_early[-1] if ended_early else None,
        began=min(times),
        ended=max(times),
    )


def _config(directory: Path) -> dict[str, Any]:
    path = directory / "config.json"
    if not path.exists() and not directory.is_file():
        raise UserError(f"{directory}: no config.json here; give the directory of a training run")
    content = read_json(path, "cannot be read")
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no mapping; give the directory of a training run")
    return content


def _check_events(directory: Path) -> None:
    if not any((directory / "tensorboard").glob("*tfevents*")):
        raise UserError(
            f"{directory}: nothing in tensorboard/; was this model converted rather than trained?"
        )


def _curve(entries: Sequence[Any]) -> Curve:
    latest = {entry.step: entry.value for entry in entries}
    steps = np.array(sorted(latest), int)
    values = np.array([latest[step] for step in steps.tolist()], float)
    good = np.isfinite(values)
    return Curve(steps[good], values[good], int(np.sum(~good)))


def _texts(reader: EventAccumulator, tag: str) -> list[tuple[float, dict[str, Any]]]:
    """Times and contents of the JSON texts of a tag."""
    tag = f"{tag}/text_summary"
    if tag not in reader.Tags()["tensors"]:
        return []
    return [
        (entry.wall_time, json.loads(entry.tensor_proto.string_val[0]))
        for entry in reader.Tensors(tag)
    ]


def _pictures(reader: EventAccumulator, tags: Sequence[str]) -> dict[str, Picture]:
    latest = {tag.removeprefix(PICTURES): reader.Images(tag)[-1] for tag in sorted(tags)}
    return {name: Picture(e.step, e.encoded_image_string) for name, e in latest.items()}
