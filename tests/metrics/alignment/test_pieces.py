"""How targets are cut: the challenge's rule in numbers, its oddities, and what it cannot do."""

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.metrics.alignment.pieces import pieces_of


def cut(frames: int, length: int) -> tuple[list[list[float]], list[int]]:
    """Numbers of the target's frames (from 1 on, 0 where there is none) in each piece, and the
    pieces' lengths."""
    target = np.repeat(np.arange(1, frames + 1, dtype=np.float32)[:, None], 25, axis=1)
    pieces = pieces_of(target, length)
    return [piece.emotion[:, 3].tolist() for piece in pieces], [piece.frames for piece in pieces]


@pytest.mark.parametrize(
    ("frames", "length", "read", "made"),
    [
        (3, 5, [3], [5]),
        (1000, 999, [1000], [999]),
        (999, 1000, [999], [1000]),
        (1001, 7, [1000, 1], [4, 3]),
        (2000, 1999, [1000, 1000], [1000, 999]),
        (8, 2000, [4, 4], [1000, 1000]),
        (700, 2100, [234, 234, 232], [1000, 1000, 100]),
        (2100, 700, [1000, 1000, 100], [234, 234, 232]),
        (5000, 5001, [834] * 5 + [830], [1000] * 5 + [1]),
    ],
)
def test_both_sides_in_as_many_pieces(frames, length, read, made):
    pieces, lengths = cut(frames, length)
    assert list(map(len, pieces)) == read
    assert lengths == made
    in_order = [frame for piece in pieces for frame in piece]
    assert in_order == list(range(1, frames + 1))  # each once


def test_the_last_pieces_of_a_short_target_are_frames_of_zeros():
    """Five frames in four pieces: of two frames each but for the last, of 5 % 2."""
    pieces, lengths = cut(5, 3500)
    assert pieces == [[1, 2], [3, 4], [5, 0], [0]]
    assert lengths == [1000, 1000, 1000, 500]


@pytest.mark.parametrize(
    ("frames", "length"),
    [
        (2, 3500),  # four pieces of two frames: the challenge's program stops
        (3500, 2),
        (16500, 58),  # 17 pieces of 58 frames: it would give 66
        (4500, 6),
    ],
)
def test_what_the_rule_cannot_do_is_one_line(frames, length):
    with pytest.raises(UserError, match=f"cannot bring {frames} frames to {length}: one") as caught:
        cut(frames, length)
    assert "\n" not in str(caught.value)
