"""How the pictures of a video are looked at: turned, and all of them or only a part."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8

QuarterTurn = Literal[0, 90, 180, 270]
"""Degrees clockwise."""

Turn = Literal["auto", 0, 90, 180, 270]
"""Degrees by which the pictures are turned clockwise before anything else; "auto" finds out."""


def turned(
    rgb: UInt8[np.ndarray, "height width 3"], turn: QuarterTurn
) -> UInt8[np.ndarray, "tall wide 3"]:
    """A picture turned clockwise; of a quarter turn width and height change places."""
    return np.ascontiguousarray(np.rot90(rgb, -turn // 90)) if turn else rgb


@dataclass(frozen=True)
class View:
    """A turn, and then a square part: its left and upper edge and its side in pixels."""

    turn: QuarterTurn = 0
    part: tuple[int, int, int] | None = None

    def of(self, rgb: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "tall wide 3"]:
        """What of a picture is looked at."""
        whole = turned(rgb, self.turn)
        if self.part is None:
            return whole
        left, top, side = self.part
        return np.ascontiguousarray(whole[top : top + side, left : left + side])

    def in_whole(self, place: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
        """A place in what is looked at as fractions of the whole turned picture.

        `place` is (x, y) as fractions of what is looked at, `size` width and height in pixels of
        the whole turned picture.
        """
        if self.part is None:
            return place
        left, top, side = self.part
        return (left + place[0] * side) / size[0], (top + place[1] * side) / size[1]
