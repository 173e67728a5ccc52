"""Axes of a chart: from values to places in an SVG drawing, with round numbers beside them."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Margins(NamedTuple):
    """Around the plot, in units of the drawing."""

    left: int = 48
    right: int = 12
    top: int = 10
    bottom: int = 24


MARGINS = Margins()


@dataclass(frozen=True)
class Axes:
    """Maps a range of x and one of y, (low, high) with low < high, to a drawing of some size.

    A logarithmic axis needs a range above zero.
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    size: tuple[int, int] = (380, 210)
    log_x: bool = False
    log_y: bool = False
    margins: Margins = MARGINS

    def x(self, values: ArrayLike) -> Any:  # a number or an array, as `values`
        width = self.size[0] - self.margins.left - self.margins.right
        return self.margins.left + _share(values, self.x_range, self.log_x) * width

    def y(self, values: ArrayLike) -> Any:
        height = self.size[1] - self.margins.top - self.margins.bottom
        return self.bottom - _share(values, self.y_range, self.log_y) * height

    @property
    def bottom(self) -> int:
        """Height of the horizontal axis, from the top."""
        return self.size[1] - self.margins.bottom

    def grid(self, *, rows: int = 5, columns: int = 5, whole: bool = False, name: str = "") -> str:
        """Lines and numbers of both axes, about so many; `rows=0` leaves the vertical one out.

        `whole` keeps whole numbers only on the horizontal axis; `name` stands at its end, for
        which the lower margin must leave room.
        """
        left, right = self.margins.left, self.size[0] - self.margins.right
        parts = []
        values = _numbers(self.y_range, rows, self.log_y) if rows else []
        for value, y in zip(values, self.y(values), strict=True):
            parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
            parts.append(
                f'<text x="{left - 6}" y="{y + 3.5:.1f}" class="end">{short(value)}</text>'
            )
        values = _numbers(self.x_range, columns, self.log_x)
        values = [value for value in values if not whole or value == int(value)]
        for value, x in zip(values, self.x(values), strict=True):
            parts.append(f'<path class="tick" d="M{x:.1f} {self.bottom}v4"/>')
            text = f'<text x="{x:.1f}" y="{self.bottom + 18}" class="mid">{short(value)}</text>'
            parts.append(text)
        parts.append(f'<path class="axis" d="M{left} {self.bottom}H{right}"/>')
        if name:
            parts.append(f'<text x="{right}" y="{self.bottom + 32}" class="end">{name}</text>')
        return "".join(parts)


def _share(values: ArrayLike, ends: tuple[float, float], log: bool) -> Any:
    """Where values stand between two ends: 0 at the lower, 1 at the upper one."""
    found, (low, high) = np.asarray(values, float), ends
    if log:
        found, low, high = np.log(found), math.log(low), math.log(high)
    return (found - low) / (high - low)


def _numbers(ends: tuple[float, float], count: int, log: bool) -> list[float]:
    return log_ticks(*ends) if log else ticks(*ends, count)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) in a range, about `count` of them."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten in a range; where it spans few, also their doubles and fivefolds."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    few = math.log10(high / low) < 2.2
    every = max(1, len(decades) // 5)
    found = [m * 10.0**d for d in decades if d % every == 0 for m in ((1, 2, 5) if few else (1,))]
    return [float(f"{value:.12g}") for value in found if low <= value <= high]


def short(value: float) -> str:
    """A number in few letters: 12k for 12000, 1e-05 for the very small."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= factor:
            return f"{value / (1e3 if letter == 'k' else factor):.6g}{letter}"
    return f"{value:.6g}"
