"""Codes of all that a training can see of its clips, computed once and kept.

A frame's code depends on its block alone (behaviour 34). A crop begins at any frame and is coded
block by block from there, so that a clip of T frames has T - block + 1 different blocks: what a
thousand epochs would code again and again is one table, of some 150 MB for REACT2024.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
from flax import nnx
from jaxtyping import Float, Int
from numpy.lib.stride_tricks import sliding_window_view

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip
from jaxreact.devices import one_ahead
from jaxreact.nn.compiling import compiler_options
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.systems.fiber.kept_table import KeptTable, KnownRows
from jaxreact.systems.fiber.tokenizer import FaceTokenizer
from jaxreact.variables import variables_of

TOGETHER = 512
"""Blocks that are coded at once."""


@dataclass(frozen=True)
class KnownCodes(KnownRows):
    """A file of codes, a row for each block."""

    block: int
    """Frames of a block."""

    def __call__(self, clip: Clip, start: int, frames: int) -> Int[np.ndarray, "frames"]:
        """Codes of a stretch that is coded from frame `start` on, int32.

        Raises ValueError for a stretch that is no whole number of blocks.
        """
        if frames % self.block:
            raise ValueError(f"{frames} frames are not a multiple of {self.block}")
        rows = self.rows(clip, start, start + frames, self.block)
        return rows.reshape(-1).astype(np.int32)


class CodeTable(KeptTable[KnownCodes]):
    """What there is to know of some clips with a tokenizer."""

    FOLDER: ClassVar = "codes"
    MAX_BYTES: ClassVar = 4 * 1024**3
    UNIT: ClassVar = "block"

    def __init__(
        self,
        data: Conversations,
        clips: Iterable[Clip],
        tokenizer: FaceTokenizer,
        mean_face: Float[np.ndarray, "58"],
    ):
        """`mean_face` is the tokenizer's."""
        self.tokenizer, self.mean_face = tokenizer, mean_face
        self.block = tokenizer.config.block_size
        super().__init__(data, clips)

    def _count(self, clip: Clip) -> int:
        return max(0, clip.frames - self.block + 1)

    @property
    def _width(self) -> int:
        return self.block

    @property
    def _type(self) -> np.dtype[Any]:
        small = self.tokenizer.config.codebook_size <= 1 << 16
        return np.dtype(np.uint16 if small else np.int32)

    @property
    def _named(self) -> Mapping[str, Any]:
        return {
            "tokenizer": fingerprint(self.tokenizer.config, variables_of(self.tokenizer)),
            "mean_face": self.mean_face.tolist(),
        }

    def _content(self, clip: Clip) -> Float[np.ndarray, "frames 58"]:
        return self.data.coeffs(clip)

    def _known(self, file: Path, firsts: Mapping[tuple[str, str], int]) -> KnownCodes:
        return KnownCodes(file, firsts, self.block)

    def _computed(self) -> Iterator[Int[np.ndarray, "some block"]]:
        graph, state = nnx.split(self.tokenizer)

        def encode(state: nnx.State, coeffs: jax.Array) -> jax.Array:
            return nnx.merge(graph, state).encode(coeffs)

        jitted = jax.jit(encode, compiler_options=compiler_options())
        device = jax.local_devices()[0]
        run = partial(jitted, jax.device_put(state, device))
        begun = ((run(jax.device_put(some, device)), count) for some, count in self._batches())
        for codes, count in one_ahead(begun):
            yield np.asarray(codes)[:count]

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
