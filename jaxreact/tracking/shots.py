"""Cuts: where a video shows another scene from one picture to the next."""

from collections import deque

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.tracking.box import cell_means, likeness

ROWS, COLUMNS = 24, 32

CUT = 0.5
"""Likeness of two successive pictures under which they are of two scenes, or the camera moves very
fast. Measured: a man talking in a car 0.99 after 33 ms and 0.83 after 0.2 s, a cut 0.0 to 0.25."""

RETURN = 0.7
"""Likeness to the end of an earlier shot from which a new one goes on with it: the scene in the car
is 0.73 or more of itself after 3 s."""

_REMEMBERED = 64  # shots


class Shots:
    """Numbers the shots of a video; one that is cut back to keeps its number."""

    def __init__(self) -> None:
        self._last: Float[np.ndarray, "24 32"] | None = None
        self._ended: deque[tuple[int, np.ndarray]] = deque(maxlen=_REMEMBERED)
        self._number = self._count = 0

    def number(self, rgb: UInt8[np.ndarray, "height width 3"]) -> int:
        """The shot, counted from 0, of the next picture."""
        now = _outline(rgb)
        if self._last is not None and likeness(self._last, now) < CUT:
            self._ended.append((self._number, self._last))
            like, number = max((likeness(end, now), number) for number, end in self._ended)
            self._count += like < RETURN
            self._number = number if like >= RETURN else self._count
        self._last = now
        return self._number


def _outline(rgb: np.ndarray) -> np.ndarray:
    """A picture in 24 x 32 cells, each the mean of some of its pixels."""
    height, width = rgb.shape[:2]
    rows = np.linspace(0, height - 1, 4 * ROWS).round().astype(int)
    columns = np.linspace(0, width - 1, 4 * COLUMNS).round().astype(int)
    return cell_means(rgb[rows[:, None], columns, 1], ROWS, COLUMNS)
