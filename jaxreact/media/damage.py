"""How much of a recording could not be decoded, and how much is too much."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

from jaxreact.errors import Remark, UserError

MOST_LOST = 0.1
"""Share of what was asked for that may be damaged or missing; players go on, and so do we."""

_SHORT = 0.2  # seconds; headers miscount by a packet or two


@dataclass
class Damage:
    """What was lost of a stream of `path`; `what` it holds is for messages."""

    path: Path
    what: str
    packets: int = 0
    lost: int = 0
    first: float = 0.0
    """Time of the first lost packet (s)."""

    def lose(self, time: float) -> None:
        """Counts a packet that could not be decoded."""
        self.first = self.first if self.lost else time
        self.lost += 1

    def report(self, refuse: bool) -> None:
        """Remarks on lost packets; with `refuse`, `UserError` where they are too many.

        That is more than `MOST_LOST` of all. A single one is not: files end in the middle of one.
        """
        if not self.lost:
            return
        line = (
            f"{self.path}: {self.lost} of {self.packets} packets of {self.what} are damaged, "
            f"the first at {self.first:.2f} s"
        )
        if self.lost > max(1, MOST_LOST * self.packets) and refuse:
            raise UserError(f"{line}; record or copy it again")
        warnings.warn(f"{line}; it goes on without them", Remark, stacklevel=2)


def report_end(path: Path, what: str, found: float, promised: float) -> None:
    """Remarks on a stream that ends after `found` of `promised` seconds.

    Raises `UserError` where more than `MOST_LOST` of them is missing.
    """
    if promised - found <= _SHORT:
        return
    line = f"{path}: is cut off: its {what} ends after {found:.2f} of {promised:.2f} s"
    if promised - found > MOST_LOST * promised:
        whole_tenths = math.floor(10 * found) / 10
        advice = f", or ask for its first {whole_tenths} s only" if whole_tenths else ""
        raise UserError(f"{line}; copy it again{advice}")
    warnings.warn(line, Remark, stacklevel=2)
