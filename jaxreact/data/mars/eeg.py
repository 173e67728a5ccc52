"""The persons' EEG, which MARS of 2026 adds: a table a clip, one row a second, or all in a tar."""

import csv
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.data.text import read_text
from jaxreact.errors import UserError, reading

_ELECTRODES = ("TP9", "AF7", "AF8", "TP10")
_BANDS = ("Delta", "Theta", "Alpha", "Beta", "Gamma")
CHANNELS = (*_ELECTRODES, *(f"{band}_{place}" for place in ("TP9", "TP10") for band in _BANDS))
"""Four raw electrodes, then the power of five bands at two of them."""
_RAW_SCALE = 1000.0
"""What the raw electrodes are divided by, as the challenge does."""
_FOLDER = "eeg_processed"
_LARGEST = 1 << 26
"""Bytes of a table: a row a second is 200 of them."""


@dataclass(frozen=True)
class Eeg:
    """A clip's EEG, one row a second."""

    values: Float[np.ndarray, "seconds 14"]
    """By `CHANNELS`; 0 where nothing was measured."""
    measured: Bool[np.ndarray, "seconds 14"]

    def at(self, frames: int, rate: float) -> "Eeg":
        """The row of each of `frames` frames, `rate` a second; behind the end its last one."""
        if not len(self.values):
            nothing = np.zeros((frames, len(CHANNELS)))
            return Eeg(nothing.astype(np.float32), nothing.astype(bool))
        seconds = (np.arange(frames) / rate + 1e-9).astype(int)
        rows = np.minimum(seconds, len(self.values) - 1)
        return Eeg(self.values[rows], self.measured[rows])


class EegTables:
    """The EEG of a split: a file a clip, or all of them in one tar, which is read at once."""

    def __init__(self, root: Path, split: str) -> None:
        """Raises `UserError` for a tar that cannot be read."""
        self._folder = root / split / _FOLDER
        self._archive = root / split / f"{_FOLDER}.tar.gz"
        self._texts = _texts(self._archive) if self._archive.is_file() else {}

    def of(self, name: str) -> Eeg | None:
        """A clip's EEG, or None. Raises `UserError` naming the file, or the tar and its member, for
        a table that lacks a channel or is none."""
        session, role, clip = name.split("/")
        below = f"{role}/{session}/{clip}.csv"
        path = self._folder / below
        if path.is_file():
            return _table(read_text(path), str(path))
        text = self._texts.get(below)
        return None if text is None else _table(text, f"{self._archive}: {below}")


def _texts(archive: Path) -> dict[str, str]:
    """What is in a tar, by the names of its members, from which the folder's is taken away."""
    texts: dict[str, str] = {}
    with reading(archive, "not a gzipped tar of tables"), tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if not (member.isfile() and member.name.endswith(".csv")):
                continue
            if member.size > _LARGEST:
                raise UserError(f"{archive}: {member.name} has {member.size} bytes, no table has")
            content = tar.extractfile(member)
            assert content is not None
            name = member.name.removeprefix("./").removeprefix(f"{_FOLDER}/")
            texts[name] = content.read().decode("utf-8-sig")
    return texts


def _table(text: str, source: str) -> Eeg:
    rows = [row for row in csv.reader(io.StringIO(text)) if any(row)]
    header = [field.strip() for field in rows[0]] if rows else []
    if lacking := [channel for channel in CHANNELS if channel not in header]:
        raise UserError(f"{source}: no column {', '.join(lacking)}")
    columns = [header.index(channel) for channel in CHANNELS]
    cells = [[_number(row[c] if c < len(row) else "") for c in columns] for row in rows[1:]]
    values = np.array(cells, np.float64).reshape(-1, len(CHANNELS))
    values[:, : len(_ELECTRODES)] /= _RAW_SCALE
    measured = np.isfinite(values)
    return Eeg(np.where(measured, values, 0).astype(np.float32), measured)


def _number(cell: str) -> float:
    """What a cell says; NaN where that is no number."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")
