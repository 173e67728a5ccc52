"""A picture of what faces do over time: truth, reconstruction and generated reactions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxreact.face import EMOTIONS, FPS, INDEX, NEUTRAL_ROTATION, PITCH, YAW


@dataclass(frozen=True)
class Face:
    """What one face does, 25 frames a second."""

    coeffs: Float[np.ndarray, "time 58"]
    """Raw coefficients (the mean is in them)."""
    emotion: Float[np.ndarray, "time 25"] | None = None


@dataclass(frozen=True)
class _Channel:
    """One curve of a face and how it is shown."""

    title: str
    unit: str
    of: Callable[[Face], np.ndarray | None]
    low: float
    high: float
    """Ends of the axis, which grows where a curve leaves it."""


def _units(*names: str) -> Callable[[Face], np.ndarray]:
    columns = [INDEX[name] for name in names]
    return lambda face: face.coeffs[:, columns].mean(axis=1)


def _degrees(column: int, neutral: float) -> Callable[[Face], np.ndarray]:
    """An angle as what it differs from an upright face by, in [-180, 180) degrees."""
    return lambda face: (np.rad2deg(face.coeffs[:, column] - neutral) + 180) % 360 - 180


def _valence(face: Face) -> np.ndarray | None:
    return None if face.emotion is None else face.emotion[:, EMOTIONS.index("valence")]


CHANNELS = (
    _Channel("Jaw open", "weight", _units("jawOpen"), 0.0, 0.4),
    _Channel("Smile", "weight", _units("mouthSmileLeft", "mouthSmileRight"), 0.0, 0.6),
    _Channel("Brow raised", "weight", _units("browInnerUp"), 0.0, 0.4),
    _Channel("Blink", "weight", _units("eyeBlinkLeft", "eyeBlinkRight"), 0.0, 1.0),
    _Channel("Head pitch", "° down", _degrees(PITCH, NEUTRAL_ROTATION[0]), -10.0, 10.0),
    _Channel("Head yaw", "° to own left", _degrees(YAW, NEUTRAL_ROTATION[1]), -10.0, 10.0),
    _Channel("Valence", "-1 to 1", _valence, -0.5, 0.5),
)
"""A handful of telling ones."""

# Okabe and Ito's colours, which the colour-blind can tell apart; line styles say it once more.
TRUTH = {"color": "#000000", "linewidth": 2.4, "alpha": 0.8}
RECONSTRUCTION = {"color": "#0072B2", "linewidth": 1.5, "linestyle": (0, (4, 1.5))}
GENERATED = (
    {"color": "#D55E00", "linewidth": 1.3},
    {"color": "#E69F00", "linewidth": 1.3},
    {"color": "#009E73", "linewidth": 1.3},
)
"""How generated reactions are drawn; more than these are not."""

WIDTH, ROW, DPI = 10.0, 1.05, 110


def draw_traces(
    truth: Face,
    reconstruction: Face | None = None,
    generated: Sequence[Face] = (),
    title: str = "",
) -> UInt8[np.ndarray, "height width 3"]:
    """An RGB picture of some channels over time, one below the other, with a legend.

    Expression units as weights, head angles in degrees from upright, valence where an emotion is
    given. Time in seconds, from the start of each face. Of `generated` the first three are drawn.
    """
    drawn: list[tuple[str, Face, dict]] = [("ground truth", truth, TRUTH)]
    if reconstruction is not None:
        drawn.append(("reconstruction", reconstruction, RECONSTRUCTION))
    for number, (face, style) in enumerate(zip(generated, GENERATED, strict=False), 1):
        drawn.append((f"generated {number}", face, style))
    channels = [c for c in CHANNELS if any(c.of(face) is not None for _, face, _ in drawn)]
    figure = Figure((WIDTH, 0.9 + ROW * len(channels)), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(channels), sharex=True, squeeze=False)[:, 0]
    for axis, channel in zip(axes, channels, strict=True):
        _draw(axis, channel, drawn)
    axes[-1].set_xlabel("time in seconds")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=len(drawn),
        frameon=False,
        title=title or None,
        title_fontproperties={"weight": "bold"},
        alignment="left",
    )
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw(axis: Axes, channel: _Channel, drawn: Sequence[tuple[str, Face, dict]]) -> None:
    """One channel of all faces, the truth below the others."""
    low, high = channel.low, channel.high
    for label, face, style in drawn:
        values = channel.of(face)
        if values is None:
            continue
        axis.plot(np.arange(len(values)) / FPS, values, label=label, **style)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    margin = 0.06 * (high - low)
    axis.set_ylim(low - margin, high + margin)
    axis.margins(x=0.01)
    axis.set_ylabel(f"{channel.title}\n({channel.unit})", fontsize="small", rotation=0, ha="right")
    axis.yaxis.set_label_coords(-0.055, 0.25)
    axis.tick_params(labelsize="small")
    axis.locator_params(axis="y", nbins=3)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
