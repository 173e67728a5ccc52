"""How much the samples of a clip differ, against what two appropriate listeners differ by."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.charts import Drawing, Figure, Key, Shape, box, grid, group, path, text
from jaxreact.metrics.frdvs import distances_between_clips

_ROW = 54
FRDIV = "two samples of a clip, mean (FRDiv)"


@dataclass(frozen=True)
class Spread:
    """One kind of difference, of every clip: mean squared difference of the 25 channels."""

    kind: str
    name: str
    values: Float[np.ndarray, "clips"]

    @property
    def known(self) -> Float[np.ndarray, "known"]:
        return self.values[np.isfinite(self.values)]

    @property
    def mean(self) -> float:
        return float(self.known.mean()) if len(self.known) else math.nan


def pairs_of_samples(
    samples: Float[np.ndarray, "samples frames 25"],
) -> Float[np.ndarray, "pairs"]:
    """Mean squared difference of every two samples; their mean is the clip's FRDiv."""
    distances = distances_between_clips(samples[:, None])
    return distances[np.triu_indices(len(distances), 1)]


def listener_differences(evaluated: Evaluated) -> Float[np.ndarray, "clips"] | None:
    """Mean squared difference of two listeners who both suit a clip; NaN where fewer do.

    None without the data set. A clip's own listener is one of those that its row of the matrix
    names.
    """
    if evaluated.neighbours is None:
        return None
    distances = distances_between_clips(evaluated.listener[:, None])
    means = np.full(len(distances), np.nan)
    for clip, others in enumerate(evaluated.neighbours):
        if len(others) > 1:
            among = distances[np.ix_(others, others)]
            means[clip] = among.sum() / (len(others) * (len(others) - 1))
    return means


def section(evaluated: Evaluated) -> dict[str, Any]:
    """Nearest and farthest samples of clips, all of them, and appropriate listeners."""
    clips, samples, _ = evaluated.shape
    spreads = []
    if samples > 1:
        pairs = np.stack([pairs_of_samples(evaluated.predictions.emotion[n]) for n in range(clips)])
        spreads += [
            Spread("model", "two samples of a clip, nearest", pairs.min(axis=1)),
            Spread("model", FRDIV, pairs.mean(axis=1)),
            Spread("model", "two samples of a clip, farthest", pairs.max(axis=1)),
        ]
    listeners = listener_differences(evaluated)
    if listeners is not None and np.isfinite(listeners).any():
        spreads.append(Spread("truth", "two appropriate listeners", listeners))
    return {
        "clips": clips,
        "samples": samples,
        "model": next((spread for spread in spreads if spread.name == FRDIV), None),
        "people": next((spread for spread in spreads if spread.kind == "truth"), None),
        "compared": listeners is not None,
        "chart": _chart(spreads) if spreads else None,
    }


def _chart(spreads: list[Spread]) -> Figure:
    """A row a kind, over the clips."""
    size = (380, _ROW * len(spreads) + 46)
    high = max(float(np.percentile(spread.known, 90)) for spread in spreads) * 1.05 or 1.0
    axes = Axes((0.0, high), (0.0, 1.0), size, margins=Margins(14, 14, 4, 40))
    shapes = grid(axes, rows=0, columns=6, name="mean squared difference")
    words = []
    for row, spread in enumerate(spreads):
        values = np.percentile(spread.known, (10, 25, 50, 75, 90))
        shapes += _row(axes, spread, values, axes.top + _ROW * row + 16)
        first, middle, third = values[1:4]
        words.append(f"{spread.name}: median {middle:.3g}, middle half {first:.3g} to {third:.3g}")
    kinds = {spread.kind for spread in spreads}
    keys = [Key("model", "model"), *([Key("truth", "people")] if "truth" in kinds else [])]
    return Figure(
        "Differences within a clip: middle 80 % and middle half of the clips",
        [Drawing(size, ". ".join(words) + ".", shapes)],
        keys,
    )


def _row(axes: Axes, spread: Spread, values: Float[np.ndarray, "5"], y: float) -> list[Shape]:
    """Line over the middle 80 %, box over the middle half, and the median."""
    low, first, middle, third, top = axes.x(values)
    return [
        text("", axes.left, y, spread.name),
        group(
            spread.kind,
            path("line", f"M{low:.1f} {y + 18}H{top:.1f}"),
            box("box", first, y + 9, max(third - first, 1), 18),
            path("median", f"M{middle:.1f} {y + 7}v22"),
        ),
    ]
