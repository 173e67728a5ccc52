"""A picture of what faces do over time: truth, reconstruction and generated reactions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxreact.curves import IN_PICTURES, Curve
from jaxreact.face import FPS
from jaxreact.html.colors import KINDS, SAMPLES


@dataclass(frozen=True)
class Face:
    """What one face does, 25 frames a second."""

    coeffs: Float[np.ndarray, "time 58"]
    """Raw coefficients (the mean is in them)."""
    emotion: Float[np.ndarray, "time 25"] | None = None

    def values(self, curve: Curve) -> Float[np.ndarray, "time"] | None:
        return curve.of(self.coeffs, self.emotion)


TRUTH = {"color": KINDS["truth"].light, "linewidth": 2.4, "alpha": 0.9}
RECONSTRUCTION = {
    "color": KINDS["reconstruction"].light,
    "linewidth": 1.5,
    "linestyle": (0, (4, 1.5)),
}
GENERATED = tuple({"color": color.light, "linewidth": 1.3} for color in SAMPLES)
"""How generated reactions are drawn; more than these are not."""

WIDTH, ROW, DPI = 10.0, 1.05, 110


def draw_traces(
    truth: Face,
    reconstruction: Face | None = None,
    generated: Sequence[Face] = (),
    title: str = "",
) -> UInt8[np.ndarray, "height width 3"]:
    """An RGB picture of some curves over time, one below the other, with a legend.

    Expression units as weights, head angles in degrees from upright, valence where an emotion is
    given. Time in seconds, from the start of each face. Of `generated` the first three are drawn.
    """
    drawn: list[tuple[str, Face, dict]] = [("ground truth", truth, TRUTH)]
    if reconstruction is not None:
        drawn.append(("reconstruction", reconstruction, RECONSTRUCTION))
    for number, (face, style) in enumerate(zip(generated, GENERATED, strict=False), 1):
        drawn.append((f"generated {number}", face, style))
    curves = [
        curve
        for curve in IN_PICTURES
        if any(face.values(curve) is not None for _, face, _ in drawn)
    ]
    figure = Figure((WIDTH, 0.9 + ROW * len(curves)), dpi=DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(curves), sharex=True, squeeze=False)[:, 0]
    for axis, curve in zip(axes, curves, strict=True):
        _draw(axis, curve, drawn)
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


def _draw(axis: Axes, curve: Curve, drawn: Sequence[tuple[str, Face, dict]]) -> None:
    """One curve of all faces, the truth below the others."""
    low, high = curve.range
    for label, face, style in drawn:
        values = face.values(curve)
        if values is None:
            continue
        axis.plot(np.arange(len(values)) / FPS, values, label=label, **style)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    margin = 0.06 * (high - low)
    axis.set_ylim(low - margin, high + margin)
    axis.margins(x=0.01)
    axis.set_ylabel(f"{curve.title}\n({curve.unit})", fontsize="small", rotation=0, ha="right")
    axis.yaxis.set_label_coords(-0.055, 0.25)
    axis.tick_params(labelsize="small")
    axis.locator_params(axis="y", nbins=3)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
