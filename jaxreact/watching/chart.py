"""Line charts over training steps as SVG, to stand in an HTML page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from jaxreact.watching.record import Curve

LEFT, RIGHT, TOP, BOTTOM = 48, 12, 10, 24
"""Margins around the lines, in units of the drawing."""

MANY = 60
"""Points from which a curve is noise with a trend: drawn thin, thick its mean over a twentieth."""

POINTS = 400
"""Points of a line at most."""


@dataclass(frozen=True)
class Series:
    """One line of a chart."""

    kind: str
    """The CSS class that colours it."""
    curve: Curve
    noisy: bool = True
    """Whether a running mean tells more than the curve."""


@dataclass(frozen=True)
class _Frame:
    """Maps steps and values to the drawing."""

    steps: tuple[float, float]
    values: tuple[float, float]
    size: tuple[int, int]
    log: bool

    def x(self, steps: np.ndarray) -> np.ndarray:
        low, high = self.steps
        return LEFT + (steps - low) / (high - low) * (self.size[0] - LEFT - RIGHT)

    def y(self, values: np.ndarray) -> np.ndarray:
        values, (low, high) = np.asarray(values, float), self.values
        if self.log:
            values, low, high = np.log(values), math.log(low), math.log(high)
        return self.size[1] - BOTTOM - (values - low) / (high - low) * (self.size[1] - TOP - BOTTOM)


def line_chart(
    series: Sequence[Series],
    description: str,
    *,
    log: bool = False,
    from_zero: bool = False,
    size: tuple[int, int] = (380, 210),
    marks: Sequence[int] = (),
    style: str = "",
) -> str:
    """An SVG element of curves over steps.

    `log` makes the axis of values logarithmic where all of them are positive and far apart (a
    factor of 20); `from_zero` lets it begin at zero; `marks` are steps at which a dotted line
    stands (the run was resumed there); `style` is a CSS class of the element.
    """
    frame = _frame(series, size, log, from_zero)
    parts = [*_grid(frame), *(_mark(frame, step) for step in marks)]
    for one in series:
        parts += _lines(frame, one)
    width, height = size
    return (
        f'<svg class="{style}" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(description)}">' + "".join(parts) + "</svg>"
    )


def _frame(series: Sequence[Series], size: tuple[int, int], log: bool, from_zero: bool) -> _Frame:
    steps = np.concatenate([one.curve.steps for one in series])
    values = np.concatenate([one.curve.values for one in series])
    first, last = min(0, int(steps.min())), max(1, int(steps.max()))
    low, high = float(values.min()), float(values.max())
    if log and low > 0 and high / low >= 20:
        return _Frame((first, last), (low / 1.1, high * 1.1), size, True)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    bottom = low if from_zero and low == 0 else low - margin
    return _Frame((first, last), (bottom, high + margin), size, False)


def _grid(frame: _Frame) -> list[str]:
    """Lines and numbers of both axes."""
    width, height = frame.size
    parts = []
    rows = log_ticks(*frame.values) if frame.log else ticks(*frame.values, 5)
    for value, y in zip(rows, frame.y(np.array(rows)), strict=True):
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{width - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" class="end">{short(value)}</text>')
    columns = [step for step in ticks(*frame.steps, 5) if step == int(step)]
    for step, x in zip(columns, frame.x(np.array(columns)), strict=True):
        parts.append(f'<path class="tick" d="M{x:.1f} {height - BOTTOM}v4"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 6}" class="mid">{short(step)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {height - BOTTOM}H{width - RIGHT}"/>')
    return parts


def _mark(frame: _Frame, step: int) -> str:
    x = float(frame.x(np.array(step)))
    line = f'<path class="mark" d="M{x:.1f} {TOP}V{frame.size[1] - BOTTOM}"/>'
    return f"<g><title>resumed after step {step}</title>{line}</g>"


def _lines(frame: _Frame, one: Series) -> list[str]:
    """A curve as a line with dots, as a line, or as a thin line and its running mean."""
    steps, values = one.curve.steps, one.curve.values
    if len(steps) < MANY:
        parts = [_path(frame, "line", steps, values), *_dots(frame, one.curve)]
    elif not one.noisy:
        parts = [_path(frame, "line", *thin(steps, values))]
    else:
        mean = running_mean(values, len(values) // 40)
        raw = _path(frame, "raw", *thin(steps, values))
        parts = [raw, _path(frame, "line", *thin(steps, mean))]
    return [f'<g class="{one.kind}">', *parts, "</g>"]


def _dots(frame: _Frame, curve: Curve) -> list[str]:
    """A dot for each point, which tells its value when pointed at."""
    points = zip(
        frame.x(curve.steps), frame.y(curve.values), curve.steps, curve.values, strict=True
    )
    return [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2">'
        f"<title>step {step}: {value:.6g}</title></circle>"
        for x, y, step, value in points
    ]


def _path(frame: _Frame, kind: str, steps: np.ndarray, values: np.ndarray) -> str:
    points = zip(frame.x(steps), frame.y(values), strict=True)
    return f'<path class="{kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'


def thin(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most about `POINTS` points of a curve, its peaks among them."""
    if len(steps) <= POINTS:
        return steps, values
    kept = {0, len(steps) - 1}
    for part in np.array_split(np.arange(len(steps)), POINTS // 2):
        kept |= {int(part[np.argmin(values[part])]), int(part[np.argmax(values[part])])}
    index = np.array(sorted(kept))
    return steps[index], values[index]


def running_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean of each point and its neighbours, up to `reach` on either side.

    Never more of them after a point than before it, so that a steep start stays where it is.
    """
    index = np.arange(len(values))
    before = np.minimum(index, reach)
    after = np.minimum(before, index[::-1])
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return (sums[index + after + 1] - sums[index - before]) / (before + after + 1)


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
