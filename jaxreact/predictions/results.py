"""`results.pt` of REACT 2025/2026: predictions of clips of any lengths, and what each is compared
with.

    GT      a list, for each clip a tensor (M, T_i, 25), or a list of M tensors (L, 25)
    PRED    a list, for each clip a tensor (K, T_i, 25)

Tuples do as well as lists.

GT_EEG, PRED_EEG and EEG_MASK may stand beside them and are read over. There are no names of clips,
and nothing of the speakers. The same is read of npz files without pickles: arrays GT_0, GT_1, ..
and PRED_0, PRED_1, .., or where all are of one length GT (N, M, T, 25) and PRED (N, K, T, 25); and
of the predictions.npz of whole clips (`whole`), which has names and speakers too.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact.data.sense import doubts_of_predicted_coeffs, doubts_of_scale
from jaxreact.errors import Remark, UserError, reading
from jaxreact.face import FPS
from jaxreact.predictions.nearly_results import ENTRIES
from jaxreact.predictions.npz import map_npz
from jaxreact.predictions.sequences import checked_emotion
from jaxreact.predictions.whole import WHOLE, holds_whole, read_whole
from jaxreact.torch_files.torch_file import read_entries, read_keys

_EEG = ("GT_EEG", "PRED_EEG", "EEG_MASK")
_NUMBERED = re.compile(r"(GT|PRED)_(\d{1,9})")
_DAMAGED = "damaged, or no file of plain arrays"
_MOST_EXPANDED = 100
"""Ten copies of one reaction may be saved as one that is expanded; a file of more is a trap."""


@dataclass(frozen=True)
class Results:
    """N clips: predictions[i] (K, T_i, 25), and targets[i], M_i of (L, 25); float32, all finite.

    Arrays that the file holds as float32 are mapped, not read.
    """

    predictions: list[Float[np.ndarray, "_ _ 25"]]
    targets: list[list[Float[np.ndarray, "_ 25"]]]
    speaker: list[Float[np.ndarray, "_ 25"]] | None = None
    """The speakers' emotion, where the file has it."""
    clips: tuple[str, ...] | None = None
    """The clips' names, where it has them."""
    fps: int = FPS
    """Frames a second."""


def holds_results(path: str | Path) -> bool:
    """Whether a file holds entries GT or PRED, or reactions to whole clips, whatever is in them;
    False for what is no file of named entries at all."""
    path = Path(path)
    if not path.is_file():
        return False
    if (names := _names_in_npz(path)) is not None:
        return any(name in (*ENTRIES, WHOLE) or _NUMBERED.fullmatch(name) for name in names)
    with path.open("rb") as file:
        if not file.read(2).startswith((b"PK", b"\x80")):
            return False
    return any(key in ENTRIES for key in read_keys(path) or [])


def read_results(path: str | Path) -> Results:
    """Reads such a file; nothing in a pickle is executed.

    A `Remark` says that EEG is read over, where emotion is of another scale, and that the faces of
    whole clips are upside down. Raises `UserError` naming the entry that is missing, empty, of
    another shape, or not finite, and for GT and PRED of different numbers of clips.
    """
    path = Path(path)
    results = _of_whole(path) if holds_whole(path) else _of_lists(path)
    doubts = [doubt for clip in results.predictions for doubt in doubts_of_scale(clip)]
    if doubts:
        more = f", and {len(doubts) - 1} clips more" if len(doubts) > 1 else ""
        warnings.warn(f"{path}: {doubts[0].message}{more}", Remark, stacklevel=2)
    return results


def _of_lists(path: Path) -> Results:
    entries = _entries(path)
    for name in ENTRIES:
        entry = entries.get(name)
        if entry is None:
            raise UserError(f"{path}: holds no {name}; give a file with GT and PRED, a list each")
        if isinstance(entry, np.ndarray) and entry.ndim == 4:
            entries[name] = entry = list(entry)
        if not isinstance(entry, (list, tuple)):
            kind = f"shape {entry.shape}" if isinstance(entry, np.ndarray) else type(entry).__name__
            raise UserError(f"{path}: {name}: {kind} instead of a list with a tensor for each clip")
        if not entry:
            raise UserError(f"{path}: {name}: an empty list; nothing was predicted")
    recorded, predicted = (entries[name] for name in ENTRIES)
    if len(recorded) != len(predicted):
        raise UserError(
            f"{path}: GT has {len(recorded)} clips, PRED {len(predicted)}; both need the same"
        )
    arrays = _Arrays(path)
    targets = [arrays.targets(f"GT[{index}]", each) for index, each in enumerate(recorded)]
    predictions = [
        arrays.predictions(f"PRED[{index}]", each) for index, each in enumerate(predicted)
    ]
    for index, each in enumerate(predictions):
        if len(each) != len(predictions[0]):
            raise UserError(
                f"{path}: PRED[{index}]: {len(each)} samples, PRED[0] has {len(predictions[0])}; "
                "every clip needs as many"
            )
    return Results(predictions, targets)


def _of_whole(path: Path) -> Results:
    """Every value is known to be finite since `evaluate.py` has checked it."""
    made = read_whole(path)
    if made.coeffs is not None:
        # The first reactions to eight clips tell how heads are turned, whatever the file's size.
        some = made.coeffs[:: max(1, -(-len(made.coeffs) // 8))]
        faces = np.concatenate([clip[:1] for clip in some], axis=1)
        for doubt in doubts_of_predicted_coeffs(faces):
            warnings.warn(f"{path}: {doubt.message}", Remark, stacklevel=4)
    return Results(made.emotion, made.targets, made.speaker, made.clips, round(made.rate))


def _entries(path: Path) -> dict[str, Any]:
    """GT and PRED, as far as they are there."""
    if _names_in_npz(path) is not None:
        arrays = map_npz(path)
        keys, entries = [*arrays], _joined(path, arrays)
    else:
        keys, entries = read_keys(path) or [], read_entries(path, ENTRIES)
    if over := [name for name in _EEG if name in keys]:
        warnings.warn(f"{path}: {', '.join(over)}: EEG is not scored", Remark, stacklevel=3)
    return entries


def _names_in_npz(path: Path) -> list[str] | None:
    """Names of an npz file's arrays, or None for another kind of file."""
    with reading(path, _DAMAGED, "copy it again, or save it anew"), path.open("rb") as file:
        if file.read(2) != b"PK":
            return None
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    if any(name.endswith("/data.pkl") for name in names):
        return None
    return [name.removesuffix(".npy") for name in names]


def _joined(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """GT_0, GT_1, .. of an npz file as the list GT."""
    entries: dict[str, Any] = {name: arrays[name] for name in ENTRIES if name in arrays}
    for name in ENTRIES:
        numbers = sorted(
            int(found[2])
            for found in map(_NUMBERED.fullmatch, arrays)
            if found is not None and found[1] == name
        )
        if not numbers:
            continue
        for index, number in enumerate(numbers):
            if number != index or f"{name}_{index}" not in arrays:
                raise UserError(f"{path}: holds no {name}_{index}, but {name}_{numbers[-1]}")
        entries[name] = [arrays[f"{name}_{number}"] for number in numbers]
    return entries


class _Arrays:
    """Checks the arrays of a file, which together may not be far larger than it: expanded tensors
    cost a file nothing, and would fill any memory."""

    def __init__(self, path: Path):
        self._path = path
        self._left = _MOST_EXPANDED * path.stat().st_size

    def predictions(self, name: str, given: Any) -> Float[np.ndarray, "_ _ 25"]:
        """A clip's reactions."""
        return self._checked(name, given, ("samples", "frames"))

    def targets(self, name: str, given: Any) -> list[Float[np.ndarray, "_ 25"]]:
        """What a clip is compared with, of a tensor (M, T, 25) or a list of (L, 25)."""
        if not isinstance(given, (list, tuple)):
            return list(self._checked(name, given, ("targets", "frames")))
        if not given:
            raise UserError(f"{self._path}: {name}: an empty list; every clip needs a target")
        return [
            self._checked(f"{name}[{number}]", each, ("frames",))
            for number, each in enumerate(given)
        ]

    def _checked(self, name: str, array: Any, axes: tuple[str, ...]) -> np.ndarray:
        name = f"{self._path}: {name}"
        if not isinstance(array, np.ndarray):
            raise UserError(f"{name}: a {type(array).__name__} instead of a tensor")
        self._left -= array.size
        if self._left < 0:
            raise UserError(
                f"{name}: tensors expanded to over {_MOST_EXPANDED} times the file; save what they "
                "are made from"
            )
        return checked_emotion(name, array, axes)
