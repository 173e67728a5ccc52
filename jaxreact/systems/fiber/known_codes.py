"""Codes of all that a training can see of its clips, computed once and kept.

A frame's code depends on its block alone (behaviour 34). A crop begins at any frame and is coded
block by block from there, so that a clip of T frames has T - block + 1 different blocks: what a
thousand epochs would code again and again is one table, of some 150 MB for REACT2024.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx
from jaxtyping import Float, Int
from numpy.lib import format as npy
from numpy.lib.stride_tricks import sliding_window_view
from tqdm import tqdm

from jaxreact.commands import user_cache
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip
from jaxreact.data.npy import map_npy
from jaxreact.files import replacing
from jaxreact.nn.compiling import compiler_options
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.systems.fiber.tokenizer import FaceTokenizer
from jaxreact.variables import variables_of

FORMAT = 1
"""Raised whenever a file of codes changes its meaning."""
MAX_BYTES = 4 * 1024**3
"""Of all files of codes together, but for those of the last day; those that were used longest ago
make room."""
_DAY = 24 * 3600
TOGETHER = 512
"""Blocks that are coded at once."""


@dataclass(frozen=True)
class KnownCodes:
    """A file of codes, a row for each block, clip by clip. Picklable; nothing of it is read yet."""

    file: Path
    block: int
    """Frames of a block."""
    firsts: Mapping[str, int]
    """The row of a clip's first block, by the clip's name."""

    def __call__(self, clip: Clip, start: int, frames: int) -> Int[np.ndarray, "frames"]:
        """Codes of a stretch that is coded from frame `start` on, int32.

        Raises ValueError for a stretch that is no whole number of blocks.
        """
        if frames % self.block:
            raise ValueError(f"{frames} frames are not a multiple of {self.block}")
        first = self.firsts[clip.name] + start
        rows = _mapped(self.file)[first : first + frames : self.block]
        return rows.reshape(-1).astype(np.int32)


_mapped = lru_cache(maxsize=8)(map_npy)


def folder() -> Path:
    """Where files of codes are kept."""
    return user_cache() / "jaxreact" / "codes"


class CodeTable:
    """What there is to know of some clips with a tokenizer, and where it is kept."""

    def __init__(
        self,
        data: Conversations,
        clips: Iterable[Clip],
        tokenizer: FaceTokenizer,
        mean_face: Float[np.ndarray, "58"],
    ):
        """`clips` are of one split, and may come more than once; `mean_face` is the tokenizer's."""
        self.data, self.tokenizer, self.mean_face = data, tokenizer, mean_face
        self.block = tokenizer.config.block_size
        longest: dict[str, Clip] = {}  # a speaker's may be shorter by the sound that it needs too
        for clip in clips:
            if clip.name not in longest or clip.frames > longest[clip.name].frames:
                longest[clip.name] = clip
        self.clips = [longest[name] for name in sorted(longest)]
        self.counts = [max(0, clip.frames - self.block + 1) for clip in self.clips]

    @property
    def blocks(self) -> int:
        """Rows of the table."""
        return sum(self.counts)

    @property
    def is_kept(self) -> bool:
        """Whether the file is there, and whole."""
        if not any(folder().glob("*.npy")):  # its name takes reading all coefficients
            return False
        try:
            there = map_npy(self.file)
        except (OSError, ValueError):
            return False
        return (there.shape, there.dtype) == (self._shape, self._type)

    @cached_property
    def file(self) -> Path:
        """Named by all that the codes depend on, in the user's cache folder.

        A code is a rounding decision, so that the kind of device is among it.
        """
        named = {
            "format": FORMAT,
            "backend": jax.default_backend(),
            "tokenizer": fingerprint(self.tokenizer.config, variables_of(self.tokenizer)),
            "mean_face": self.mean_face.tolist(),
            "clips": [(clip.split, clip.name, clip.frames) for clip in self.clips],
        }
        digest = hashlib.sha256(json.dumps(named).encode())
        for clip in self.clips:  # a root's own fingerprint looks at some files only
            digest.update(np.ascontiguousarray(self.data.coeffs(clip)).tobytes())
        return folder() / f"{digest.hexdigest()[:16]}.npy"

    def known(self) -> KnownCodes:
        """The codes, computed now unless they are kept. Raises what writing a file and reading
        clips raise."""
        file = self.file
        if self.is_kept:
            with suppress(OSError):  # it may be somebody else's
                os.utime(file)
        else:
            with replacing(file) as temporary, temporary.open("wb") as new:
                header = {"descr": npy.dtype_to_descr(self._type), "fortran_order": False}
                npy.write_array_header_1_0(new, header | {"shape": self._shape})
                for codes in self._coded():
                    new.write(codes.astype(self._type).tobytes())
            _make_room(file)
        _mapped(file)  # from now on nobody can take it away
        firsts = np.cumsum([0, *self.counts])
        names = [clip.name for clip in self.clips]
        return KnownCodes(file, self.block, dict(zip(names, firsts.tolist(), strict=False)))

    @property
    def _shape(self) -> tuple[int, int]:
        return (self.blocks, self.block)

    @property
    def _type(self) -> np.dtype[Any]:
        small = self.tokenizer.config.codebook_size <= 1 << 16
        return np.dtype(np.uint16 if small else np.int32)

    def _coded(self) -> Iterator[Int[np.ndarray, "some block"]]:
        """Rows of the table, in order; while a device codes some, the next are cut."""
        graph, state = nnx.split(self.tokenizer)

        def encode(state: nnx.State, coeffs: jax.Array) -> jax.Array:
            return nnx.merge(graph, state).encode(coeffs)

        jitted = jax.jit(encode, compiler_options=compiler_options())
        device = jax.local_devices()[0]
        run = partial(jitted, jax.device_put(state, device))
        waiting: Sequence[tuple[jax.Array, int]] = ()
        with tqdm(total=self.blocks, disable=None, unit="block", leave=False, desc="codes") as bar:
            for blocks, count in self._batches():
                begun = (run(jax.device_put(blocks, device)), count)
                yield from (np.asarray(codes)[:rows] for codes, rows in waiting)
                waiting = (begun,)
                bar.update(count)
            yield from (np.asarray(codes)[:rows] for codes, rows in waiting)

    def _batches(self) -> Iterator[tuple[Float[np.ndarray, "together block 58"], int]]:
        """All blocks of all clips, and how many of each batch are meant: the last is filled up."""
        batch = np.zeros((TOGETHER, self.block, len(self.mean_face)), np.float32)
        used = 0
        for clip, count in zip(self.clips, self.counts, strict=True):
            if not count:
                continue
            coeffs = self.data.coeffs(clip) - self.mean_face
            blocks = sliding_window_view(coeffs, self.block, axis=0).swapaxes(1, 2)
            while len(blocks):
                some, blocks = np.split(blocks, [TOGETHER - used])
                batch[used : used + len(some)] = some
                used += len(some)
                if used == TOGETHER:
                    yield batch.copy(), used
                    used = 0
        if used:
            yield batch, used


def _make_room(kept: Path) -> None:
    """Removes other files of codes, those first that were used longest ago, and what starts that
    were killed have left unfinished; nothing of the last day, which others may be about to read."""
    room = MAX_BYTES - kept.stat().st_size
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
