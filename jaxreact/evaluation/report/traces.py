"""What speaker, listener and samples do over time in a clip: a few telling curves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.curves import IN_REPORTS, Curve
from jaxreact.evaluation.report.shown import Shown
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.charts import Drawing, Figure, Shape, band, grid, group, line, path, thin

SIZE = (380, 135)
POINTS = 300
"""Points of a line at most: more than the screen has for it."""

_MARGINS = Margins(36, 8, 8, 24)


@dataclass(frozen=True)
class Traces:
    """One curve of a clip; sides that are not known are not there."""

    curve: Curve
    rate: float
    """Frames a second."""
    people: Mapping[str, Float[np.ndarray, "_"]]
    """ "speaker" and "listener"."""
    samples: Float[np.ndarray, "samples frames"] | None


def traces_of(shown: Shown) -> list[Traces]:
    """The curves of a clip of which there is anything."""
    traces = []
    for curve in IN_REPORTS:
        sides = {
            name: curve.of(shown.coeffs.get(name), rows)
            for name, rows in shown.emotion.recorded.items()
        }
        people = {name: side for name, side in sides.items() if side is not None}
        samples = curve.of(shown.faces, shown.emotion.samples)
        if people or samples is not None:
            traces.append(Traces(curve, shown.rate, people, samples))
    return traces


def chart(traces: Traces, clip: str) -> Figure:
    """A panel: both persons, the first sample, and the area that the samples fill."""
    curve, samples = traces.curve, traces.samples
    sides = [*traces.people.values(), *([samples] if samples is not None else [])]
    low = min(curve.range[0], *(float(side.min()) for side in sides))
    high = max(curve.range[1], *(float(side.max()) for side in sides))
    margin = 0.05 * (high - low)
    frames = max(side.shape[-1] for side in sides)
    seconds = np.arange(frames) / traces.rate
    ends = (0.0, frames / traces.rate)
    axes = Axes(ends, (low - margin, high + margin), SIZE, margins=_MARGINS)
    shapes = grid(axes, rows=3, columns=6)
    if samples is not None and len(samples) > 1:
        shapes.append(group("model", *_area(axes, seconds[: samples.shape[-1]], samples)))
    for name, side in traces.people.items():
        kind = "truth" if name == "listener" else name
        shapes.append(group(kind, line(axes, "line", *thin(seconds[: len(side)], side, POINTS))))
    if samples is not None:
        first = thin(seconds[: samples.shape[-1]], samples[0], POINTS)
        shapes.append(group("model", line(axes, "line", *first)))
    description = f"{curve.label} over {ends[1]:.3g} seconds of {clip}"
    return Figure(curve.label, [Drawing(SIZE, description, [*shapes, _now(axes)], "trace")])


def _area(
    axes: Axes, seconds: np.ndarray, samples: Float[np.ndarray, "samples frames"]
) -> list[Shape]:
    """From the lowest to the highest sample, over stretches of frames that a pixel can hold."""
    stretch = max(1, -(-len(seconds) // (POINTS // 2)))
    starts = np.arange(0, len(seconds), stretch)
    low = np.minimum.reduceat(samples.min(axis=0), starts)
    high = np.maximum.reduceat(samples.max(axis=0), starts)
    return band(axes, seconds[starts], low, high)


def _now(axes: Axes) -> Shape:
    """A line that the page's script moves to where the clip's video is; hidden without it."""
    moved = {"data-left": axes.left, "data-width": axes.width}
    seconds = {"data-seconds": f"{axes.x_range[1]:.2f}"}
    return path("now", f"M0 {axes.top}V{axes.bottom}", **moved, **seconds)
