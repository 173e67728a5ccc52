"""What is computed of clips once, before a training, and kept for the next one.

A table has some rows for each clip, one after the other in one file of the user's cache folder, so
that any stretch of any clip is read without the rest.
"""

import hashlib
import json
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import jax
import numpy as np
from numpy.lib import format as npy
from tqdm import tqdm

from jaxreact.commands import user_cache
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip
from jaxreact.data.npy import map_npy
from jaxreact.files import replacing

FORMAT = 1
"""Raised whenever a file of a table changes its meaning."""
_DAY = 24 * 3600


@dataclass(frozen=True)
class KnownRows:
    """A table's file. Picklable; nothing of it is read yet."""

    file: Path
    firsts: Mapping[tuple[str, str], int]
    """The first row of a clip, by its split and name."""

    def rows(self, clip: Clip, start: int, stop: int, step: int = 1) -> np.ndarray:
        """Rows of a clip, counted from its first one, as the file has them."""
        first = self.firsts[clip.split, clip.name]
        return _mapped(self.file)[first + start : first + stop : step]


_mapped = lru_cache(maxsize=8)(map_npy)

Known = TypeVar("Known", bound=KnownRows)
"""What finds the rows of one kind of table."""


class KeptTable(ABC, Generic[Known]):
    """What there is to know of some clips, and where it is kept."""

    FOLDER: ClassVar[str]
    """Below the user's cache folder."""
    MAX_BYTES: ClassVar[int]
    """Of all files of the folder together, but for those of the last day; those that were used
    longest ago make room."""
    UNIT: ClassVar[str]
    """What a step of the progress bar is."""

    def __init__(self, data: Conversations, clips: Iterable[Clip]):
        """`clips` may come more than once; what is kept of one reaches to its longest."""
        self.data = data
        longest: dict[tuple[str, str], Clip] = {}
        for clip in clips:  # a speaker's may be shorter by the sound that it needs too
            key = clip.split, clip.name
            if key not in longest or clip.frames > longest[key].frames:
                longest[key] = clip
        self.clips = [longest[key] for key in sorted(longest)]
        self.counts = [self._count(clip) for clip in self.clips]

    @abstractmethod
    def _count(self, clip: Clip) -> int:
        """Rows of a clip."""

    @property
    @abstractmethod
    def _width(self) -> int:
        """Numbers in a row."""

    @property
    @abstractmethod
    def _type(self) -> np.dtype[Any]: ...

    @property
    @abstractmethod
    def _named(self) -> Mapping[str, Any]:
        """All that the rows depend on beside the clips' own content, as JSON."""

    @abstractmethod
    def _content(self, clip: Clip) -> np.ndarray:
        """What a clip's rows are made of."""

    @abstractmethod
    def _computed(self) -> Iterator[np.ndarray]:
        """The rows, in order, some at a time."""

    @abstractmethod
    def _known(self, file: Path, firsts: Mapping[tuple[str, str], int]) -> Known:
        """What finds them in the file."""

    @property
    def rows(self) -> int:
        """Of the whole table."""
        return sum(self.counts)

    @property
    def is_kept(self) -> bool:
        """Whether the file is there, and whole."""
        if not any(self.folder.glob("*.npy")):  # its name takes reading all clips
            return False
        try:
            there = map_npy(self.file)
        except (OSError, ValueError):
            return False
        return (there.shape, there.dtype) == ((self.rows, self._width), self._type)

    @property
    def folder(self) -> Path:
        """Where such files are kept."""
        return user_cache() / "jaxreact" / self.FOLDER

    @cached_property
    def file(self) -> Path:
        """Named by all that the rows depend on, the kind of device included: each rounds its own
        way."""
        named = {
            "format": FORMAT,
            "backend": jax.default_backend(),
            "clips": [(clip.split, clip.name, clip.frames) for clip in self.clips],
            **self._named,
        }
        digest = hashlib.sha256(json.dumps(named).encode())
        # A root's own fingerprint looks at some files only.
        for clip in tqdm(self.clips, disable=None, unit="clip", leave=False, desc=self.FOLDER):
            digest.update(np.ascontiguousarray(self._content(clip)).data)
        return self.folder / f"{digest.hexdigest()[:16]}.npy"

    def known(self) -> Known:
        """What the table holds, computed now unless it is kept. Raises what writing a file and
        reading clips raise."""
        file = self.file
        if self.is_kept:
            with suppress(OSError):  # it may be somebody else's
                os.utime(file)
        else:
            self._write(file)
            _make_room(file, self.MAX_BYTES)
        _mapped(file)  # from now on nobody can take it away
        keys = [(clip.split, clip.name) for clip in self.clips]
        firsts = np.cumsum([0, *self.counts]).tolist()
        return self._known(file, dict(zip(keys, firsts, strict=False)))

    def _write(self, file: Path) -> None:
        header = {"descr": npy.dtype_to_descr(self._type), "fortran_order": False}
        bar = tqdm(total=self.rows, disable=None, unit=self.UNIT, leave=False, desc=self.FOLDER)
        with replacing(file) as temporary, temporary.open("wb") as new, bar:
            npy.write_array_header_1_0(new, header | {"shape": (self.rows, self._width)})
            for some in self._computed():
                new.write(some.astype(self._type).tobytes())
                bar.update(len(some))


def _make_room(kept: Path, most: int) -> None:
    """Removes other files beside it, those first that were used longest ago, and what starts that
    were killed have left unfinished; nothing of the last day, which others may be about to read."""
    room = most - kept.stat().st_size
    for used, path in sorted(_times(kept.parent.glob("*.npy")), reverse=True):
        room -= path.stat().st_size if path != kept and path.exists() else 0
        if room < 0 and path != kept and used < time.time() - _DAY:
            with suppress(OSError):
                path.unlink()
    for begun, unfinished in _times(kept.parent.glob(".*.npy.*")):
        if begun < time.time() - _DAY:
            shutil.rmtree(unfinished, ignore_errors=True)


def _times(paths: Iterable[Path]) -> list[tuple[float, Path]]:
    """When each was last written, of those that are still there."""
    found = []
    for path in paths:
        with suppress(OSError):
            found.append((path.stat().st_mtime, path))
    return found
