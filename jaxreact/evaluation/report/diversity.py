"""How much the samples of a clip differ, against what two appropriate listeners differ by."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.figures import figure, key
from jaxreact.html.lines import drawing
from jaxreact.html.tables import number
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
    found = np.full(len(distances), np.nan)
    for clip, others in enumerate(evaluated.neighbours):
        if len(others) > 1:
            among = distances[np.ix_(others, others)]
            found[clip] = among.sum() / (len(others) * (len(others) - 1))
    return found


def section(evaluated: Evaluated) -> str:
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
    text = _in_words(evaluated, spreads, listeners)
    chart = f'<div class="charts">{_chart(spreads)}</div>' if spreads else ""
    return f"<p>{text}</p>{chart}"


def _in_words(
    evaluated: Evaluated, spreads: list[Spread], listeners: Float[np.ndarray, "clips"] | None
) -> str:
    """What the chart says, and what is missing from it."""
    clips, samples, _ = evaluated.shape
    sentences = []
    model = next((one for one in spreads if one.name == FRDIV), None)
    people = next((one for one in spreads if one.kind == "truth"), None)
    if model is None:
        sentences.append("One sample a clip: there is no diversity between samples to show.")
    if people is not None:
        count = f"over {len(people.known)} of {clips} clips"
        sentences.append(
            f"Two listeners who both suit a clip differ by {number(people.mean)} on average"
            f" ({count}, mean squared difference of the channels)."
        )
    elif listeners is None:
        sentences.append("Two appropriate listeners cannot be compared without the data set.")
    else:
        sentences.append("No clip has two appropriate listeners to compare.")
    if model is not None and people is not None and people.mean > 0:
        sentences.append(
            f"Two samples of the model differ by {number(model.mean)}, {_times(model, people)}"
        )
    elif model is not None:
        sentences.append(f"Two of the {samples} samples differ by {number(model.mean)} on average.")
    return " ".join(sentences)


def _times(model: Spread, people: Spread) -> str:
    ratio = model.mean / people.mean
    kind = (
        "less varied than" if ratio < 0.8 else "more varied than" if ratio > 1.25 else "about like"
    )
    return f"{number(ratio)} times that: {kind} people."


def _chart(spreads: list[Spread]) -> str:
    """A row a kind: line over the middle 80 % of the clips, box over the middle half, median."""
    size = (380, _ROW * len(spreads) + 46)
    high = max(float(np.percentile(one.known, 90)) for one in spreads) * 1.05 or 1.0
    axes = Axes((0.0, high), (0.0, 1.0), size, margins=Margins(14, 14, 4, 40))
    parts = [axes.grid(rows=0, columns=6, name="mean squared difference")]
    words = []
    for row, one in enumerate(spreads):
        low, first, middle, third, top = np.percentile(one.known, (10, 25, 50, 75, 90))
        words.append(f"{one.name}: median {middle:.3g}, middle half {first:.3g} to {third:.3g}")
        y = axes.margins.top + _ROW * row + 16
        x = [float(place) for place in axes.x([low, first, middle, third, top])]
        parts.append(
            f'<text x="{axes.margins.left}" y="{y}">{one.name}</text><g class="{one.kind}">'
            f'<path class="line" d="M{x[0]:.1f} {y + 18}H{x[4]:.1f}"/>'
            f'<rect class="box" x="{x[1]:.1f}" y="{y + 9}" width="{max(x[3] - x[1], 1):.1f}"'
            f' height="18"/><path class="median" d="M{x[2]:.1f} {y + 7}v22"/></g>'
        )
    keys = [key("model", "model"), key("truth", "people")]
    return figure(
        "Differences within a clip: middle 80 % and middle half of the clips",
        keys[: 1 + any(one.kind == "truth" for one in spreads)],
        [drawing(size, ". ".join(words) + ".", parts)],
    )
