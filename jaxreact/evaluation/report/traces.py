"""What speaker, listener and samples do over time in a clip: a few telling channels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.face import EMOTIONS, FPS, NEUTRAL_ROTATION, PITCH
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.figures import figure
from jaxreact.html.lines import band, drawing, line, thin

SIZE = (380, 135)
POINTS = 300
"""Points of a line at most: more than the screen has for it."""

_MARGINS = Margins(36, 8, 8, 24)


@dataclass(frozen=True)
class Channel:
    """One channel of the emotion, or the head's pitch if it has no name there."""

    title: str
    name: str
    range: tuple[float, float]
    """Ends of the axis, which grows where a curve leaves it."""


CHANNELS = (
    Channel("Smile (AU12)", "AU12", (0.0, 1.0)),
    Channel("Brow lowered (AU4)", "AU4", (0.0, 1.0)),
    Channel("Valence", "valence", (-0.5, 0.5)),
    Channel("Head pitch in degrees, down is positive", "", (-10.0, 10.0)),
)


@dataclass(frozen=True)
class Traces:
    """One channel of a clip; sides that are not known are not there."""

    channel: Channel
    people: Mapping[str, Float[np.ndarray, "frames"]]
    """ "speaker" and "listener"."""
    samples: Float[np.ndarray, "samples frames"] | None


def traces_of(evaluated: Evaluated, clip: int) -> list[Traces]:
    """The channels of which there is anything."""
    found = [
        Traces(
            channel,
            {
                "speaker": evaluated.speaker[clip][:, EMOTIONS.index(channel.name)],
                "listener": evaluated.listener[clip][:, EMOTIONS.index(channel.name)],
            },
            evaluated.predictions.emotion[clip][:, :, EMOTIONS.index(channel.name)],
        )
        for channel in CHANNELS
        if channel.name
    ]
    coeffs, people = evaluated.predictions.coeffs, {}
    if evaluated.recorded is not None:
        sides = evaluated.recorded.coeffs(clip, evaluated.shape[2])
        people = {name: _pitch(side) for name, side in sides.items()}
    samples = None if coeffs is None else _pitch(coeffs[clip])
    if people or samples is not None:
        found.append(Traces(CHANNELS[-1], people, samples))
    return found


def _pitch(coeffs: Float[np.ndarray, "*batch 58"]) -> Float[np.ndarray, "*batch"]:
    """Degrees from upright, in [-180, 180)."""
    return (np.rad2deg(coeffs[..., PITCH] - NEUTRAL_ROTATION[0]) + 180) % 360 - 180


def chart(traces: Traces, clip: str) -> str:
    """A panel: both persons, the first sample, and the area that the samples fill."""
    channel, samples = traces.channel, traces.samples
    curves = [*traces.people.values(), *([samples] if samples is not None else [])]
    low = min(channel.range[0], *(float(curve.min()) for curve in curves))
    high = max(channel.range[1], *(float(curve.max()) for curve in curves))
    margin = 0.05 * (high - low)
    frames = curves[0].shape[-1]
    seconds = np.arange(frames) / FPS
    axes = Axes((0.0, frames / FPS), (low - margin, high + margin), SIZE, margins=_MARGINS)
    parts = [axes.grid(rows=3, columns=6)]
    if samples is not None and len(samples) > 1:
        area = _area(axes, seconds, samples)
        parts.append(f'<g class="model">{area}</g>')
    for name, curve in traces.people.items():
        stroke = line(axes, "line", *thin(seconds, curve, POINTS))
        parts.append(f'<g class="{"truth" if name == "listener" else name}">{stroke}</g>')
    if samples is not None:
        stroke = line(axes, "line", *thin(seconds, samples[0], POINTS))
        parts.append(f'<g class="model">{stroke}</g>')
    parts.append(_now(axes))
    description = f"{channel.title} over {frames / FPS:.3g} seconds of {clip}"
    return figure(channel.title, [], [drawing(SIZE, description, parts, "trace")])


def _area(axes: Axes, seconds: np.ndarray, samples: Float[np.ndarray, "samples frames"]) -> str:
    """From the lowest to the highest sample, over stretches of frames that a pixel can hold."""
    stretch = max(1, -(-len(seconds) // (POINTS // 2)))
    starts = np.arange(0, len(seconds), stretch)
    low = np.minimum.reduceat(samples.min(axis=0), starts)
    high = np.maximum.reduceat(samples.max(axis=0), starts)
    return band(axes, seconds[starts], low, high)


def _now(axes: Axes) -> str:
    """A line that the page's script moves to where the clip's video is; hidden without it."""
    return (
        f'<path class="now" data-left="{axes.margins.left}"'
        f' data-width="{axes.size[0] - axes.margins.left - axes.margins.right}"'
        f' data-seconds="{axes.x_range[1]:.2f}" d="M0 {axes.margins.top}V{axes.bottom}"/>'
    )
