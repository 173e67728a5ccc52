"""One clock for all streams of a container: seconds from its beginning that never jump.

A recording that was started again, or whose device lost count, goes on at another time for all its
streams at once. What is a hole in one stream while another goes on is left as it is.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

from jaxreact.errors import Remark

LONGEST_HOLE = 60.0
"""Seconds without any stream that are still taken for a pause; more is a jump of the clock."""

_BACK = 1.0  # seconds by which packets may go back: containers interleave, B-frames come early
_REMEMBERED = 8  # packets of before a jump may still follow it, hardly of before many


@dataclass(frozen=True)
class Jump:
    """The clock went on at another time: `by` seconds (negative: back), at `time` seconds."""

    time: float
    by: float


class Clock:
    """Tells what to add to the stamps of packets, given all of them in the file's order."""

    def __init__(self, start: float) -> None:
        """`start`: the container's own time of its beginning (s)."""
        self.jumps: list[Jump] = []
        self._shifts = [-start]
        self._ends: dict[int, float] = {}

    @property
    def latest(self) -> float:
        """The end of the latest packet of all streams (s)."""
        return max([0.0, *self._ends.values()])

    def end(self, stream: int) -> float:
        """The end of the latest packet of a stream (s), 0 before the first."""
        return self._ends.get(stream, 0.0)

    def report(self, path: Path) -> None:
        """Remarks on jumps."""
        if self.jumps:
            first = self.jumps[0]
            more = f", and {len(self.jumps) - 1} times more" if len(self.jumps) > 1 else ""
            warnings.warn(
                f"{path}: its clock jumps by {first.by:.1f} s at {first.time:.2f} s{more}; "
                "what follows comes at once",
                Remark,
                stacklevel=2,
            )

    def shift(self, stream: int, stamp: float | None, duration: float = 0.0) -> float:
        """Seconds to add to the times of a packet of `stream`, which is decoded at `stamp` (s).

        A stream may begin before the beginning: with what an edit list leaves out.
        """
        if stamp is None:
            return self._shifts[-1]
        is_known = stream in self._ends
        earliest = self.end(stream) - _BACK if is_known else -LONGEST_HOLE
        latest = self.latest + LONGEST_HOLE
        fitting = [s for s in self._shifts[-_REMEMBERED:] if earliest <= stamp + s <= latest]
        if fitting:
            shift = min(fitting, key=lambda s: abs(stamp + s - self.end(stream)))
        else:
            shift = self.latest - stamp
            self.jumps.append(Jump(self.latest, self._shifts[-1] - shift))
            self._shifts.append(shift)
        end = stamp + shift + duration
        self._ends[stream] = max(self.end(stream), end) if is_known else end
        return shift
