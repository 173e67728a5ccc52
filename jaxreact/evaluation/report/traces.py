"""What speaker, listener and samples do over time in a clip: a few telling curves."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.curves import IN_REPORTS, Curve
from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.face import FPS
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
    people: Mapping[str, Float[np.ndarray, "frames"]]
    """ "speaker" and "listener"."""
    samples: Float[np.ndarray, "samples frames"] | None


def traces_of(evaluated: Evaluated, clip: int) -> list[Traces]:
    """The curves of which there is anything."""
    emotion = {"speaker": evaluated.speaker[clip], "listener": evaluated.listener[clip]}
    recorded = evaluated.recorded
    coeffs = {} if recorded is None else recorded.coeffs(clip, evaluated.shape[2])
    reactions = evaluated.predictions
    generated = None if reactions.coeffs is None else reactions.coeffs[clip]
    traces = []
    for curve in IN_REPORTS:
        sides = {name: curve.of(coeffs.get(name), emotion[name]) for name in emotion}
        people = {name: side for name, side in sides.items() if side is not None}
        samples = curve.of(generated, reactions.emotion[clip])
        if people or samples is not None:
            traces.append(Traces(curve, people, samples))
    return traces


def chart(traces: Traces, clip: str) -> Figure:
    """A panel: both persons, the first sample, and the area that the samples fill."""
    curve, samples = traces.curve, traces.samples
    sides = [*traces.people.values(), *([samples] if samples is not None else [])]
    low = min(curve.range[0], *(float(side.min()) for side in sides))
    high = max(curve.range[1], *(float(side.max()) for side in sides))
    margin = 0.05 * (high - low)
    frames = sides[0].shape[-1]
    seconds = np.arange(frames) / FPS
    axes = Axes((0.0, frames / FPS), (low - margin, high + margin), SIZE, margins=_MARGINS)
    shapes = grid(axes, rows=3, columns=6)
    if samples is not None and len(samples) > 1:
        shapes.append(group("model", *_area(axes, seconds, samples)))
    for name, side in traces.people.items():
        kind = "truth" if name == "listener" else name
        shapes.append(group(kind, line(axes, "line", *thin(seconds, side, POINTS))))
    if samples is not None:
        shapes.append(group("model", line(axes, "line", *thin(seconds, samples[0], POINTS))))
    description = f"{curve.label} over {frames / FPS:.3g} seconds of {clip}"
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
