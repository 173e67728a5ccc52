"""What predictions are scored against: listeners, speakers and who suits whom."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.data.contents import open_array
from jaxreact.data.conversations import open_conversations
from jaxreact.data.layout import EMOTION, Clip
from jaxreact.errors import UserError
from jaxreact.evaluation.results import Predictions


@dataclass(frozen=True)
class TruthFiles:
    """Where the truth is: a data set, or files."""

    data: Path | None = None
    """Root of a data set in the REACT2024 layout, or a cache made by jaxreact.data.prepare. Clips
    are cut to the frames of the predictions, from the first."""
    split: Literal["train", "val", "test"] = "val"
    """The split of --data that was predicted."""
    listener: Path | None = None
    """Without --data: emotion of the recorded listeners (clips, frames, 25), npy or npz. Default:
    what the predictions' own file holds."""
    speaker: Path | None = None
    """The same of the speakers."""
    neighbours: Path | None = None
    """Without --data: the split's neighbour matrix (clips, clips), npy or npz, such as
    neighbour_emotion_val.npy."""


@dataclass(frozen=True)
class Truth:
    """Emotion of the recorded persons (N, T, 25), the neighbour matrix, and the clips' names."""

    listener: Float[np.ndarray, "clips frames 25"]
    speaker: Float[np.ndarray, "clips frames 25"]
    neighbours: Float[np.ndarray, "clips columns"]
    clips: tuple[str, ...] | None


def find_truth(files: TruthFiles, path: Path, predictions: Predictions) -> Truth:
    """The truth for the predictions that `path` holds.

    Raises `UserError` for options that contradict each other or do not suffice, for files that
    cannot be used, and where the predictions are of other clips than the data set's.
    """
    if files.data is not None:
        return _of_data_set(files, path, predictions)
    if files.neighbours is None:
        raise UserError("give --data, or --neighbours with the split's neighbour matrix")
    return Truth(
        listener=_of_file("listener", files.listener, path, predictions.listener),
        speaker=_of_file("speaker", files.speaker, path, predictions.speaker),
        neighbours=read_array(files.neighbours, "neighbours"),
        clips=predictions.clips,
    )


def conversations(clips: Sequence[str]) -> list[str]:
    """The conversation of every clip `<site>/<chat>/<person>/<clip>`: `<site>/<chat>`."""
    return [name.rsplit("/", 2)[0] for name in clips]


def read_array(path: Path, name: str) -> np.ndarray:
    """The array in an npy file, or the one called `name` (or the only one) in an npz file.

    Raises `UserError` for anything else; pickled objects are refused.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.suffix != ".npz":
        return open_array(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            key = file.files[0] if len(file.files) == 1 else name
            if key not in file.files:
                raise UserError(f"{path}: holds {', '.join(file.files)} but no array {name}")
            return file[key]
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not an npz file of plain arrays ({error})") from None


def _of_file(name: str, given: Path | None, path: Path, held: np.ndarray | None) -> np.ndarray:
    if given is not None:
        return read_array(given, name)
    if held is None:
        raise UserError(f"{path}: holds no {name}; give --{name} FILE, or --data")
    return held


def _of_data_set(files: TruthFiles, path: Path, predictions: Predictions) -> Truth:
    for name in ("listener", "speaker", "neighbours"):
        if getattr(files, name) is not None:
            raise UserError(f"--{name} contradicts --data, which has its own; give one of them")
    assert files.data is not None
    data = open_conversations(files.data)
    dyads = data.dyads(files.split, modalities=(EMOTION,))
    clips = tuple(dyad.speaker.name for dyad in dyads)
    frames = predictions.emotion.shape[2]
    check_same_clips(path, predictions, f"{files.data} ({files.split})", clips)
    shortest = min(dyads, key=lambda dyad: dyad.frames)
    if shortest.frames < frames:
        raise UserError(
            f"{path}: {frames} frames, but {shortest.speaker.name} has {shortest.frames} in "
            f"{files.data}"
        )

    def emotions(people: list[Clip]) -> np.ndarray:
        clips = tqdm(people, "reading", unit="clip", delay=2, disable=None)
        return np.stack([data.emotion(clip)[:frames] for clip in clips])

    return Truth(
        listener=emotions([dyad.listener for dyad in dyads]),
        speaker=emotions([dyad.speaker for dyad in dyads]),
        neighbours=data.neighbours(files.split, len(dyads)),
        clips=clips,
    )


def check_same_clips(
    path: Path, predictions: Predictions, other: str | Path, clips: Sequence[str] | None
) -> None:
    """Raises `UserError` unless the predictions of `path` are of `clips`, which `other` lists.

    Names that are not known cannot differ; their number is compared elsewhere.
    """
    if clips is not None and len(predictions.emotion) != len(clips):
        raise UserError(f"{path}: {len(predictions.emotion)} clips, {other} has {len(clips)}")
    for index, (ours, theirs) in enumerate(zip(predictions.clips or (), clips or (), strict=False)):
        if ours != theirs:
            raise UserError(f"{path}: clip {index} is {ours}, in {other} it is {theirs}")
