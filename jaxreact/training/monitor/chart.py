"""Line charts over training steps, to stand in an HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxreact.html.axes import Axes
from jaxreact.html.charts import Drawing, Shape, dot, grid, group, line, thin, upright
from jaxreact.training.monitor.record import Curve

MANY = 60
"""Points from which a curve is noise with a trend: drawn thin, thick its mean over a twentieth."""


@dataclass(frozen=True)
class Series:
    """One line of a chart."""

    kind: str
    """The CSS class that colours it."""
    curve: Curve
    noisy: bool = True
    """Whether a running mean tells more than the curve."""


def line_chart(
    series: Sequence[Series],
    description: str,
    *,
    log: bool = False,
    from_zero: bool = False,
    size: tuple[int, int] = (380, 210),
    marks: Sequence[int] = (),
    style: str = "",
) -> Drawing:
    """A drawing of curves over steps.

    `log` makes the axis of values logarithmic where all of them are positive and far apart (a
    factor of 20); `from_zero` lets it begin at zero; `marks` are steps at which a dotted line
    stands (the run was resumed there); `style` is a CSS class of the element.
    """
    axes = _axes(series, size, log, from_zero)
    resumed = (
        group("", upright(axes, "mark", step), title=f"resumed after step {step}") for step in marks
    )
    curves = (group(each.kind, *_lines(axes, each)) for each in series)
    return Drawing(size, description, [*grid(axes, whole=True), *resumed, *curves], style)


def _axes(series: Sequence[Series], size: tuple[int, int], log: bool, from_zero: bool) -> Axes:
    steps = np.concatenate([each.curve.steps for each in series])
    values = np.concatenate([each.curve.values for each in series])
    across = (min(0, int(steps.min())), max(1, int(steps.max())))
    low, high = float(values.min()), float(values.max())
    if log and low > 0 and high / low >= 20:
        return Axes(across, (low / 1.1, high * 1.1), size, log_y=True)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    bottom = low if from_zero and low == 0 else low - margin
    return Axes(across, (bottom, high + margin), size)


def _lines(axes: Axes, series: Series) -> list[Shape]:
    """A curve as a line with dots, as a line, or as a thin line and its running mean."""
    steps, values = series.curve.steps, series.curve.values
    if len(steps) < MANY:
        return [line(axes, "line", steps, values), *_dots(axes, series.curve)]
    if not series.noisy:
        return [line(axes, "line", *thin(steps, values))]
    mean = running_mean(values, len(values) // 40)
    return [line(axes, "raw", *thin(steps, values)), line(axes, "line", *thin(steps, mean))]


def _dots(axes: Axes, curve: Curve) -> list[Shape]:
    """A dot for each point, which tells its value when pointed at."""
    points = zip(axes.x(curve.steps), axes.y(curve.values), curve.steps, curve.values, strict=True)
    return [dot(x, y, 2.2, f"step {step}: {value:.6g}") for x, y, step, value in points]


def running_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean of each point and its neighbours, up to `reach` on either side.

    Never more of them after a point than before it, so that a steep start stays where it is.
    """
    index = np.arange(len(values))
    before = np.minimum(index, reach)
    after = np.minimum(before, index[::-1])
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return (sums[index + after + 1] - sums[index - before]) / (before + after + 1)
