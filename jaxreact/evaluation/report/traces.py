"""What speaker, listener and samples do over time in a clip: a few telling channels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.channels import IN_REPORTS, Channel
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
    """One channel of a clip; sides that are not known are not there."""

    channel: Channel
    people: Mapping[str, Float[np.ndarray, "frames"]]
    """ "speaker" and "listener"."""
    samples: Float[np.ndarray, "samples frames"] | None


def traces_of(evaluated: Evaluated, clip: int) -> list[Traces]:
    """The channels of which there is anything."""
    emotion = {"speaker": evaluated.speaker[clip], "listener": evaluated.listener[clip]}
    recorded = evaluated.recorded
    coeffs = {} if recorded is None else recorded.coeffs(clip, evaluated.shape[2])
    reactions = evaluated.predictions
    generated = None if reactions.coeffs is None else reactions.coeffs[clip]
    traces = []
    for channel in IN_REPORTS:
        sides = {name: channel.of(coeffs.get(name), emotion[name]) for name in emotion}
        people = {name: curve for name, curve in sides.items() if curve is not None}
        samples = channel.of(generated, reactions.emotion[clip])
        if people or samples is not None:
            traces.append(Traces(channel, people, samples))
    return traces


def chart(traces: Traces, clip: str) -> Figure:
    """A panel: both persons, the first sample, and the area that the samples fill."""
    channel, samples = traces.channel, traces.samples
    curves = [*traces.people.values(), *([samples] if samples is not None else [])]
    low = min(channel.range[0], *(float(curve.min()) for curve in curves))
    high = max(channel.range[1], *(float(curve.max()) for curve in curves))
    margin = 0.05 * (high - low)
    frames = curves[0].shape[-1]
    seconds = np.arange(frames) / FPS
    axes = Axes((0.0, frames / FPS), (low - margin, high + margin), SIZE, margins=_MARGINS)
    shapes = grid(axes, rows=3, columns=6)
    if samples is not None and len(samples) > 1:
        shapes.append(group("model", *_area(axes, seconds, samples)))
    for name, curve in traces.people.items():
        kind = "truth" if name == "listener" else name
        shapes.append(group(kind, line(axes, "line", *thin(seconds, curve, POINTS))))
    if samples is not None:
        shapes.append(group("model", line(axes, "line", *thin(seconds, samples[0], POINTS))))
    description = f"{channel.label} over {frames / FPS:.3g} seconds of {clip}"
    return Figure(channel.label, [Drawing(SIZE, description, [*shapes, _now(axes)], "trace")])


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
