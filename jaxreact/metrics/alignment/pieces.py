"""How a target is cut into pieces for the network, and how long each comes out.

The longer one of target and reaction is cut into n = ceil(its frames / 1000) pieces of 1000 frames,
the last of what is left; the shorter one into as many, of ceil(its frames / n) and the rest. So
each piece of the target becomes one of the result, and these are joined; nothing passes between
pieces.

Two oddities of the challenge's rule, which shows where the shorter one has few frames for its
number of pieces: ceil leaves too little for the last pieces. A short target's last pieces then read
frames of zeros, as the challenge's do. A short reaction's would come out longer than it is, on
which the challenge's program stops; so do we.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.metrics.alignment.network import LONGEST


class Piece(NamedTuple):
    """A stretch of the target, and the number of frames that it becomes."""

    emotion: Float[np.ndarray, "_ 25"]
    frames: int


def pieces_of(target: Float[np.ndarray, "frames 25"], length: int) -> list[Piece]:
    """The pieces of a target (1 frame or more) that is to have `length` frames.

    Raises UserError as `lengths_of_pieces` does.
    """
    read, made = lengths_of_pieces(len(target), length)
    each = read[0]
    filled = np.pad(target, [(0, max(0, len(read) * each - len(target))), (0, 0)])
    starts = range(0, len(read) * each, each)
    return [
        Piece(filled[start : start + frames], becomes)
        for start, frames, becomes in zip(starts, read, made, strict=True)
    ]


def lengths_of_pieces(given: int, length: int) -> tuple[list[int], list[int]]:
    """Frames of each piece of a target of `given` frames, and of what it becomes.

    Raises UserError where the challenge's rule has no answer: one of both so short that a piece of
    it has no frame, or the reaction so short that the pieces are longer than it.
    """
    longer, shorter = max(given, length), min(given, length)
    count = math.ceil(longer / LONGEST)
    read, made = (_lengths(frames, count, frames == longer) for frames in (given, length))
    if shorter < count or sum(made) != length:
        raise UserError(
            f"the challenge's rule cannot bring {given} frames to {length}: one is too short for "
            f"{count} pieces; leave the target out, or use mode corrected"
        )
    return read, made


def _lengths(frames: int, count: int, is_longer: bool) -> list[int]:
    """Of the pieces of one side."""
    if count == 1:
        return [frames]
    each = LONGEST if is_longer else math.ceil(frames / count)
    return [each] * (count - 1) + [frames % each or each]
