"""What predictions are scored against: listeners, speakers and who suits whom."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from jaxreact.data.contents import open_array
from jaxreact.data.layout import EMOTION
from jaxreact.data.sense import doubts_of_scale
from jaxreact.data.split import Split, open_split
from jaxreact.errors import Remark, UserError, reading
from jaxreact.predictions import Predictions
from jaxreact.predictions.npz import map_npz


@dataclass(frozen=True)
class TruthFiles:
    """Where the truth is: a data set, or files."""

    data: Path | None = None
    """Root of a data set, of REACT2024 or MARS, or a cache made by jaxreact.data.prepare. Clips are
    cut to the frames of the predictions, from the first."""
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


def split_of(files: TruthFiles) -> Split | None:
    """The split to compare with, or None where the truth comes from files.

    Raises `UserError` for a data set that lacks emotion, an empty split, and options that
    contradict each other.
    """
    if files.data is None:
        return None
    for name in ("listener", "speaker", "neighbours"):
        if getattr(files, name) is not None:
            raise UserError(f"--{name} contradicts --data, which has its own; give one of them")
    return open_split(files.data, files.split, (EMOTION,))


def find_truth(
    files: TruthFiles,
    split: Split | None,
    path: Path,
    predictions: Predictions,
    frames: int | None = None,
) -> Truth:
    """The truth for the predictions that `path` holds, which are of the split's clips.

    `frames` cuts what is read from other files, as the predictions have been cut. Raises
    `UserError` for files that cannot be used, and where the predictions are longer than the clips.
    """
    if split is not None:
        return _of_split(split, path, predictions)
    assert files.neighbours is not None
    neighbours = read_array(files.neighbours, "neighbours")
    if not np.isin(neighbours, (0, 1)).all():
        doubt = "other values than 0 and 1, of which only 1 makes a reaction appropriate"
        warnings.warn(f"{files.neighbours}: holds {doubt}", Remark, stacklevel=2)
    return Truth(
        listener=_of_file("listener", files.listener, path, predictions.listener, frames),
        speaker=_of_file("speaker", files.speaker, path, predictions.speaker, frames),
        neighbours=neighbours,
        clips=predictions.clips,
    )


def number_of_clips(files: TruthFiles) -> int | None:
    """How many clips the files of listeners and speakers are for, where one is given."""
    given = {name: getattr(files, name) for name in ("listener", "speaker")}
    arrays = (read_array(path, name) for name, path in given.items() if path is not None)
    return next((len(array) if array.ndim else 0 for array in arrays), None)


def read_array(path: Path, name: str) -> np.ndarray:
    """The array in an npy file, or the one called `name` (or the only one) in an npz file.

    Raises `UserError` for anything else; pickled objects are refused.
    """
    with reading(path, "no npy or npz file"), path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    if not zipped:
        return open_array(path)
    arrays = map_npz(path)
    key = next(iter(arrays)) if len(arrays) == 1 else name
    if key not in arrays:
        raise UserError(f"{path}: holds {', '.join(arrays) or 'nothing'} but no array {name}")
    if arrays[key].dtype.kind not in "fiub":
        raise UserError(f"{path}: {key} is {arrays[key].dtype}, not numbers; save it again")
    return arrays[key]


def _of_file(
    name: str, given: Path | None, path: Path, held: np.ndarray | None, frames: int | None
) -> np.ndarray:
    if given is not None:
        array = read_array(given, name)
        if array.ndim != 3:
            raise UserError(f"{given}: shape {array.shape}; expected (clips, frames, 25)")
        for doubt in doubts_of_scale(array):
            warnings.warn(f"{given}: {doubt.message}", Remark, stacklevel=2)
        return array[:, :frames]
    if held is None:
        raise UserError(f"{path}: holds no {name}; give --{name} FILE, or --data")
    return held


def _of_split(split: Split, path: Path, predictions: Predictions) -> Truth:
    frames, shortest = predictions.emotion.shape[2], split.shortest
    if shortest.frames < frames:
        raise UserError(
            f"{path}: {frames} frames, but {shortest.speaker.name} in {split.data.path} has "
            f"{shortest.frames}"
        )
    listener, speaker = split.emotions(frames)
    return Truth(listener, speaker, split.neighbours(), split.clips)


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
