"""The files in which people keep predictions, read to arrays and nothing more.

    predictions.npz   ours: `emotion`, and `coeffs`, `listener`, `speaker`, `clips`, `made_with`
    *.npy             one array
    *.pt, *.pth       a tensor, a list of tensors (a batch or a pass each), or a dictionary
    DIR               REGNN's: CLIP/result-0.pth .. result-9.pth, a reaction each; or the original's

What a file is, its first bytes say, not its name. Nothing in a pickle is executed.
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact.data.npy import map_npy
from jaxreact.errors import UserError, reading
from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.predictions.nearly_results import (
    nearly_results,
    nearly_results_in_npz,
    results_inside,
)
from jaxreact.predictions.npz import map_npz
from jaxreact.predictions.writing import ARRAYS
from jaxreact.torch_files.torch_file import read_content

ORIGINAL_FILE = "listener_pred_emotion.pt"
"""What the original program calls its predictions."""

CLIPS_RECORD = "clips"
"""A text in a torch archive: the clip of each row, one a line. The original's files have none."""

_NAMES = ("emotion", "prediction", "predictions", "pred", "listener_emotion", "listener_pred")
"""Under what a dictionary holds the predicted emotion, the likeliest first."""


@dataclass(frozen=True)
class Source:
    """What a file of predictions holds: `emotion` in any layout, and what else is known."""

    emotion: np.ndarray
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    clips: tuple[str, ...] | None = None
    made_with: str | None = None
    rows_are_clips: bool = False
    by_original: bool = False


def open_source(path: Path, clips: Sequence[str] | None) -> Source:
    """Reads any of the files above; arrays are mapped where they can be.

    Raises `UserError` for a file that is missing, damaged, of another kind, or without an array of
    25 emotion channels.
    """
    with reading(path, "damaged, or no file of plain arrays", "copy it again, or save it anew"):
        source = _reader(path)(path, clips)
    _check_channels(path, source.emotion)
    return source


def by_original(path: Path) -> bool:
    """Whether the original program wrote the file, or the file in this folder: by name, and by
    what only jaxreact's export adds."""
    path = path / ORIGINAL_FILE if path.is_dir() else path
    return path.name == ORIGINAL_FILE and path.is_file() and _clips_record(path) is None


def _reader(path: Path) -> Callable[[Path, Sequence[str] | None], Source]:
    if path.is_dir():
        inside = path / ORIGINAL_FILE
        return (lambda _, clips: _torch(inside, clips)) if inside.is_file() else _tree
    with path.open("rb") as file:
        head = file.read(6)
    if head == b"\x93NUMPY":
        return lambda path, _: Source(map_npy(path))  # other numbers than real ones: `reading`
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if not any(name.endswith("/data.pkl") for name in names):
            return _npz
    return _torch


def _npz(path: Path, clips: Sequence[str] | None) -> Source:
    arrays = map_npz(path)
    if "emotion" not in arrays:
        if problem := nearly_results_in_npz(arrays):
            raise UserError(f"{path}: {problem}")
        held = ", ".join(sorted(arrays)) or "nothing"
        raise UserError(f"{path}: holds {held} but no array emotion (clips, samples, frames, 25)")
    others = {name: arrays[name] for name in ARRAYS[1:] if name in arrays}
    names = _names_of(arrays["clips"]) if "clips" in arrays else None
    made_with = str(arrays["made_with"]) if "made_with" in arrays else None
    known = names is not None or "listener" in others or "speaker" in others
    return Source(arrays["emotion"], others, names, made_with, rows_are_clips=known)


def _names_of(array: np.ndarray) -> tuple[str, ...]:
    if array.ndim != 1 or array.dtype.kind not in "US":
        raise ValueError(f"clips is {array.dtype} of shape {array.shape}, not a list of names")
    return tuple(array.astype(str).tolist())


def _torch(path: Path, clips: Sequence[str] | None) -> Source:
    content = read_content(path)
    names = _clips_record(path)
    if isinstance(content, dict):
        if clips is not None and set(clips) <= set(content):
            rows = [_array(path, content[name], len(clips)) for name in clips]
            return Source(_stack(path, rows), clips=tuple(clips), rows_are_clips=True)
        if clips is None and (problem := nearly_results(content)):
            raise UserError(f"{path}: {problem}")
        content = _choose(path, content)
    emotion = _array(path, content, None if clips is None else len(clips))
    return Source(
        emotion, {}, names, None, names is not None, by_original(path) and emotion.ndim == 4
    )


def _tree(path: Path, clips: Sequence[str] | None) -> Source:
    """A folder a clip, a file a reaction, numbered from 0 (REGNN's inference)."""
    if clips is None:
        raise UserError(f"{path}: a folder of predictions can be read only beside its data set")
    rows = []
    for name in clips:
        files = sorted((path / name).glob("result-*.pth"), key=lambda file: _number(file.stem))
        if not files:
            raise UserError(
                f"{path / name}: no result-0.pth here; give a file of predictions, or the folder "
                "of one split with CLIP/result-0.pth for each of its clips"
            )
        rows.append(_stack(path / name, [_array(file, read_content(file), None) for file in files]))
    return Source(_stack(path, rows), clips=tuple(clips), rows_are_clips=True)


def _number(stem: str) -> int:
    digits = stem.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else -1


def _clips_record(path: Path) -> tuple[str, ...] | None:
    if not zipfile.is_zipfile(path):
        return None
    with reading(path, "damaged, or no PyTorch file"), zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.count("/") == 1 and name.endswith(f"/{CLIPS_RECORD}"):
                return tuple(archive.read(name).decode().splitlines())
    return None


def _choose(path: Path, content: dict[Any, Any]) -> Any:
    """The predicted emotion in a dictionary: under a usual name, or all there is of 25 channels."""
    for name in _NAMES:
        if name in content:
            return content[name]
    fitting = [
        name
        for name, value in content.items()
        if isinstance(value, np.ndarray) and value.ndim > 2 and value.shape[-1] == EMOTION_CHANNELS
    ]
    if len(fitting) != 1:
        if problem := results_inside(content):
            raise UserError(f"{path}: {problem}")
        held = ", ".join(map(str, list(content)[:10])) or "nothing"
        raise UserError(
            f"{path}: a dictionary of {held}; save the predictions by themselves, or as emotion"
        )
    return content[fitting[0]]


def _array(path: Path, content: Any, clips: int | None) -> np.ndarray:
    """One array of what a file holds: itself, or a list of batches or passes joined."""
    if isinstance(content, np.ndarray):
        return content
    if not isinstance(content, (list, tuple)) or not content:
        raise UserError(f"{path}: holds a {type(content).__name__}, not predictions")
    parts = [_array(path, part, clips) for part in content]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1 and len({shape[1:] for shape in shapes}) > 1:
        raise UserError(
            f"{path}: a list of arrays of different shapes: {sorted(shapes)[:5]}; clips of lengths"
            " of their own are read from a results.pt, which has lists GT and PRED"
        )
    (rows, *rest), total = parts[0].shape, sum(len(part) for part in parts)
    if len(shapes) == 1 and len(rest) == 2 and clips in (len(parts), rows):
        return np.stack(parts)  # a clip each, or a pass over all clips each
    if len(shapes) == 1 and len(rest) == 3 and clips == rows != total:
        return np.concatenate(parts, axis=1)  # a pass each, with an axis of one sample
    if len(shapes) == 1 and len(rest) == 1:
        return np.stack(parts)  # a reaction each
    return np.concatenate(parts)  # batches


def _stack(path: Path, rows: list[np.ndarray]) -> np.ndarray:
    shapes = {row.shape for row in rows}
    if len(shapes) > 1:
        raise UserError(f"{path}: reactions of different shapes: {sorted(shapes)[:5]}")
    return np.stack(rows)


def _check_channels(path: Path, array: np.ndarray) -> None:
    if array.ndim > 1 and array.shape[-1] == COEFFS:
        raise UserError(
            f"{path}: shape {array.shape}: {COEFFS} channels are face coefficients; the scores are "
            f"those of the {EMOTION_CHANNELS} emotion channels"
        )
    if array.ndim < 3 or array.shape[-1] != EMOTION_CHANNELS:
        raise UserError(
            f"{path}: shape {array.shape}; expected {EMOTION_CHANNELS} channels in the last axis, "
            "frames before it, clips and samples before these"
        )
