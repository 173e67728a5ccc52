"""Generated reactions on their way to predictions.npz: in parts, so that none is made twice.

    OUT/parts/made_with.json      models, data and options; another run's parts are not gone on with
    OUT/parts/000008.npz          some clips' reactions, written beside and renamed
    OUT/predictions.npz           all of them; then parts/ is removed

A part is whole or not there, however the program ended.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError, reading
from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.files import read_json, replacing
from jaxreact.predictions.npz import Pieces, map_npz, write_npz
from jaxreact.predictions.predictions import check_finite
from jaxreact.predictions.whole import numbered
from jaxreact.predictions.writing import texts

_AGAIN = "remove it and give the same command again"
CHANNELS = {"emotion": EMOTION_CHANNELS, "coeffs": COEFFS}


@dataclass
class PartialResults:
    """The parts of predictions of `clips` (by name), `samples` of each, of its length in `lengths`.

    `whole`: predictions.npz has arrays of each clip, else one for all. `made_with` is what they
    depend on, plain JSON data. Make one by `open_partial_results`.
    """

    folder: Path
    clips: Sequence[str]
    samples: int
    lengths: Sequence[int]
    whole: bool
    made_with: Mapping[str, Any]
    _rows: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)

    @property
    def missing(self) -> list[int]:
        """The numbers of the clips that no part holds."""
        return [clip for clip in range(len(self.clips)) if clip not in self._rows]

    @property
    def bytes_missing(self) -> int:
        """What the missing parts and predictions.npz will take on the disk."""
        frames = sum(self.lengths) + sum(self.lengths[clip] for clip in self.missing)
        return self.samples * frames * sum(CHANNELS.values()) * np.float32().itemsize

    def add(
        self,
        clips: Sequence[int],
        emotion: Float[np.ndarray, "batch samples frames 25"],
        coeffs: Float[np.ndarray, "batch samples frames 58"],
    ) -> None:
        """Keeps the reactions to some clips, which have one length. Raises `UserError` where one is
        not finite."""
        arrays = {"emotion": emotion, "coeffs": coeffs}
        for name, array in arrays.items():
            check_finite(f"generated {name}", array, [self.clips[clip] for clip in clips])
        path = self.folder / f"{clips[0]:06d}.npz"
        with replacing(path) as temporary:
            write_npz(temporary, {"clips": np.asarray(clips), **arrays})
        self._take(path)

    def _take(self, path: Path) -> None:
        """Maps a part's arrays."""
        arrays = map_npz(path, "damaged", _AGAIN)
        clips = arrays["clips"].tolist()
        if not set(clips) <= {*range(len(self.clips))}:
            raise ValueError(f"it holds clips {clips} of {len(self.clips)}")
        for name, channels in CHANNELS.items():
            expected = (len(clips), self.samples, self.lengths[clips[0]], channels)
            if arrays[name].shape != expected:
                raise ValueError(f"{name} has shape {arrays[name].shape}, expected {expected}")
        for row, clip in enumerate(clips):
            self._rows[clip] = {name: arrays[name][row] for name in CHANNELS}

    def finish(
        self, path: Path, truth: Mapping[str, np.ndarray | Sequence[np.ndarray]], **more: Any
    ) -> None:
        """Joins all parts to a `predictions.npz`, a clip at a time in memory, and removes them.

        `truth` is what was recorded, by name: one array, or one for each clip. `more`: arrays that
        stand beside it.
        """
        arrays: dict[str, np.ndarray | Pieces] = {}
        if self.whole:
            for name in CHANNELS:
                arrays |= numbered(name, [self._rows[n][name] for n in range(len(self.clips))])
        else:
            arrays = {name: self._joined(name) for name in CHANNELS}
        for name, rows in truth.items():
            arrays |= {name: rows} if isinstance(rows, np.ndarray) else numbered(name, rows)
        joined = self.folder / path.name
        names = texts(tuple(self.clips), made_with_text(self.made_with))
        write_npz(joined, {**arrays, **more, **names})
        os.replace(joined, path)
        self.remove()

    def _joined(self, name: str) -> Pieces:
        def pieces() -> Iterator[np.ndarray]:
            return (self._rows[clip][name] for clip in range(len(self.clips)))

        shape = (len(self.clips), self.samples, self.lengths[0], CHANNELS[name])
        return Pieces(shape, np.dtype(np.float32), pieces())

    def remove(self) -> None:
        self._rows.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def open_partial_results(
    folder: Path,
    clips: Sequence[str],
    samples: int,
    lengths: Sequence[int],
    whole: bool,
    made_with: Mapping[str, Any],
) -> PartialResults:
    """The parts in `folder`, begun now or by an earlier run, of which each is checked whole.

    Raises `UserError` where they were begun with something else, or one is damaged.
    """
    parts = PartialResults(folder, clips, samples, lengths, whole, made_with)
    record = folder / "made_with.json"
    if not record.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        with replacing(record) as temporary:
            temporary.write_text(made_with_text(made_with) + "\n")
        return parts
    _check_same(folder, record, made_with)
    for path in sorted(folder.glob("[0-9]*.npz")):
        with reading(path, "damaged", _AGAIN):
            with zipfile.ZipFile(path) as archive:
                if (broken := archive.testzip()) is not None:
                    raise ValueError(f"{broken} does not have its checksum")
            parts._take(path)
    return parts


def made_with_text(made_with: Mapping[str, Any]) -> str:
    """What predictions depend on, as it stands in files."""
    return json.dumps(made_with, indent=1, sort_keys=True)


def _check_same(folder: Path, record: Path, made_with: Mapping[str, Any]) -> None:
    before = read_json(record, "damaged", f"remove {folder} to start anew")
    if not isinstance(before, dict):
        raise UserError(f"{record}: damaged; remove {folder} to start anew")
    for name, value in made_with.items():
        if before.get(name) != value:
            raise UserError(
                f"{folder}: begun with {name} {before.get(name)}, now it is {value}; remove the "
                "folder to start anew, or choose another --out"
            )
