"""Axes of a chart: from values to places in an SVG drawing, and round numbers to stand there."""

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

    def x(self, values: ArrayLike) -> Any:
        return self.left + _share(values, self.x_range, self.log_x) * self.width

    def y(self, values: ArrayLike) -> Any:
        return self.bottom - _share(values, self.y_range, self.log_y) * (self.bottom - self.top)

    @property
    def left(self) -> int:
        return self.margins.left

    @property
    def right(self) -> int:
        return self.size[0] - self.margins.right

    @property
    def top(self) -> int:
        return self.margins.top

    @property
    def bottom(self) -> int:
        """Height of the horizontal axis, from the top."""
        return self.size[1] - self.margins.bottom

    @property
    def width(self) -> int:
        """Of the plot."""
        return self.right - self.left

    def rows(self, count: int) -> list[float]:
        """About so many round numbers of the vertical axis."""
        return log_ticks(*self.y_range) if self.log_y else ticks(*self.y_range, count)

    def columns(self, count: int) -> list[float]:
        """About so many round numbers of the horizontal axis."""
        return log_ticks(*self.x_range) if self.log_x else ticks(*self.x_range, count)


def _share(values: ArrayLike, ends: tuple[float, float], log: bool) -> Any:
    """Where values stand between two ends: 0 at the lower, 1 at the upper one."""
    places, (low, high) = np.asarray(values, float), ends
    if log:
        places, low, high = np.log(places), math.log(low), math.log(high)
    return (places - low) / (high - low)


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
    factors = (1, 2, 5) if math.log10(high / low) < 2.2 else (1,)
    every = max(1, len(decades) // 5)
    numbers = (float(f"{m * 10.0**d:.12g}") for d in decades if d % every == 0 for m in factors)
    return [number for number in numbers if low <= number <= high]
