"""Rows of a face that come as a camera gives them -> 25 frames a second.

As `tracking.timeline` does it for whole films: linear in time between rows, angles without jumps,
short holes bridged, and the last row held through long ones. What differs is that nobody knows how
long a hole will be: where one must go on without the next row, the last one is held.
"""

import numpy as np
from jaxtyping import Float

from jaxreact.face import COEFFS, FPS, ROTATION

_CLOSE = 1e-3
"""Frames by which a row's time may be off a frame's and still be it: stamps are rounded."""


class Rows:
    """The rows of one stream, whose frame k is at k / 25 s of the stream's time."""

    def __init__(self, channels: int, max_gap: float) -> None:
        """Holes of up to `max_gap` seconds are bridged."""
        self.held = 0
        """Frames in holes so far through which a row was held."""
        self.bridged = 0
        """Frames in holes so far that were interpolated."""
        self.late = 0
        """Rows that came after a later one, and were left out."""
        self._max_gap = max_gap * FPS
        self._angles = ROTATION if channels == COEFFS else slice(0)
        self._last: np.ndarray | None = None
        self._at = -np.inf  # its time, in frames
        self._frames: list[np.ndarray] = []
        self._taken = 0

    @property
    def ready(self) -> int:
        """Frames of the stream that are known, taken ones included."""
        return self._taken + len(self._frames)

    def feed(self, times: Float[np.ndarray, "rows"], rows: Float[np.ndarray, "rows c"]) -> None:
        """The next rows; `times` in seconds of the stream's time."""
        for at, row in zip((times * FPS).tolist(), rows, strict=True):
            self._add(at, row)

    def hold(self, frames: int, unseen: Float[np.ndarray, "c"]) -> None:
        """Goes on until so many frames are known, with the last row, or `unseen` before any."""
        missing = max(frames - self.ready, 0)
        self.held += missing
        self._frames += [unseen if self._last is None else self._last] * missing

    def take(self, count: int) -> Float[np.ndarray, "count c"]:
        """The next frames; so many must be ready."""
        taken, self._frames = self._frames[:count], self._frames[count:]
        self._taken += count
        return np.stack(taken).astype(np.float32)

    def _add(self, at: float, row: np.ndarray) -> None:
        if at <= self._at:
            self.late += 1
            return
        row = row.astype(np.float64)
        if self._last is None:
            self._frames += [row] * (_floor(at) + 1 - self.ready)
        else:
            row[self._angles] = _near(row[self._angles], self._last[self._angles])
            self._frames += self._between(at, row)
        self._last, self._at = row, at

    def _between(self, at: float, row: np.ndarray) -> list[np.ndarray]:
        """Frames from the first that is not known to the new row."""
        assert self._last is not None
        numbers = np.arange(self.ready, _floor(at) + 1)
        share = np.clip((numbers - self._at) / (at - self._at), 0, 1)[:, None]
        made = self._last + share * (row - self._last)
        made[np.abs(numbers - at) <= _CLOSE] = row  # and not what rounding makes of it
        if at - self._at > self._max_gap:
            inside = numbers < at - _CLOSE
            made[inside] = self._last
            self.held += int(inside.sum())
        elif len(numbers) > 2:
            self.bridged += len(numbers) - 1
        return list(made)


def _floor(at: float) -> int:
    """The last frame that a row at such a time (frames) makes known."""
    return int(np.floor(at + _CLOSE))


def _near(angles: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Angles on the branch that is nearest to the last ones."""
    return angles - 2 * np.pi * np.round((angles - last) / (2 * np.pi))
