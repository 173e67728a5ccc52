"""How each score is distributed over the clips, beside the naive baselines' means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.evaluation.report.scores import BASELINES, scored
from jaxreact.html.axes import Axes, Margins, short
from jaxreact.html.figures import figure, key
from jaxreact.html.lines import drawing
from jaxreact.html.tables import number
from jaxreact.metrics.scores import labelled

SIZE = (380, 180)
BINS = 36
DOT = 4.4
"""Radius of a clip's dot. Where dots would not fit above each other there are bars instead."""

_LETTER, _LINE = 6.2, 12
"""Width of a letter and height of a line of text, in units of the drawing."""


@dataclass(frozen=True)
class _Mark:
    """A baseline's mean: where its line stands, and what is written above it."""

    place: float
    text: str


def section(evaluated: Evaluated) -> str:
    """A chart for each score."""
    if evaluated.table is None:
        return ""
    charts = [
        _chart(evaluated, metric, values)
        for metric, values in evaluated.table.values.items()
        if np.isfinite(values).any()
    ]
    remark = (
        "Each dot is a clip, or each bar a number of clips. The coloured line is the score, with"
        " its 95 % interval where that is known; dashed lines are the naive baselines' scores, and"
        " arrows point at those beyond the edge."
    )
    return f'<p class="quiet">{remark}</p><div class="charts">{"".join(charts)}</div>'


def _chart(evaluated: Evaluated, metric: str, values: Float[np.ndarray, "clips"]) -> str:
    score = evaluated.scores.get(metric, math.nan)
    clips = np.flatnonzero(np.isfinite(values))
    means = {
        BASELINES.get(name, name): found[metric]
        for name, found in evaluated.baselines.items()
        if math.isfinite(found.get(metric, math.nan))
    }
    ends = _range(values[clips], score, list(means.values()))
    marks, top = _placed(means, ends)
    axes = Axes(ends, (0.0, 1.0), SIZE, margins=Margins(14, 14, top, 24))
    bins = np.clip(
        ((values[clips] - ends[0]) / (ends[1] - ends[0]) * BINS).astype(int), 0, BINS - 1
    )
    parts = [axes.grid(rows=0, columns=5), *_baselines(axes, marks)]
    parts += _score_line(axes, score, evaluated.intervals.get(metric))
    highest = np.bincount(bins).max()
    if 2 * DOT * highest <= axes.bottom - top:
        labels = [f"{evaluated.clips[clip]}: {values[clip]:.4g}" for clip in clips]
        parts += _dots(axes, bins, labels)
    else:
        parts += _bars(axes, bins)
    known = [f"{name} {short(round(mean, 4))}" for name, mean in means.items()]
    low, middle, high = np.percentile(values[clips], (0, 50, 100))
    description = (
        f"{metric} of {len(clips)} clips: from {low:.4g} to {high:.4g}, median {middle:.4g}."
        f" Baselines: {', '.join(known) or 'none'}."
    )
    keys = [key("model", f"{scored(evaluated).lower()} {_number(score)}")]
    if len(clips) < len(values):
        keys.append(f'<span class="quiet">{len(values) - len(clips)} clips without</span>')
    return figure(labelled(metric), keys, [drawing(SIZE, description, parts)])


def _number(score: float) -> str:
    return number(score) if math.isfinite(score) else "-"


def _range(
    values: Float[np.ndarray, "clips"], score: float, means: Sequence[float]
) -> tuple[float, float]:
    """Ends of the axis: all clips, and the baselines that are no farther away than that again."""
    known = [*values.tolist(), *([score] if math.isfinite(score) else [])]
    low, high = min(known), max(known)
    reach = (high - low) or 0.5 * abs(high) or 0.5
    near = [mean for mean in means if low - reach <= mean <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 0.1
    return low - margin, high + margin


def _placed(
    means: dict[str, float], ends: tuple[float, float]
) -> tuple[list[tuple[_Mark, int]], int]:
    """Marks with the row of text that each is written in, and the height that rows take."""
    width, (low, high) = SIZE[0] - 28, ends
    taken: list[list[tuple[float, float]]] = []
    placed = []
    for name, mean in sorted(means.items(), key=lambda item: item[1]):
        place = (mean - low) / (high - low)
        text = name
        if not 0 <= place <= 1:
            text = (
                f"← {name} {short(round(mean, 3))}"
                if place < 0
                else f"{name} {short(round(mean, 3))} →"
            )
        half = _LETTER * len(text) / 2
        middle = min(max(14 + place * width, half + 2), SIZE[0] - half - 2)
        span = (middle - half - 4, middle + half + 4)
        row = next((i for i, r in enumerate(taken) if _free(r, span)), len(taken))
        taken[row : row + 1] = [[*(taken[row] if row < len(taken) else []), span]]
        placed.append((_Mark(place, text), row))
    return placed, 8 + _LINE * len(taken)


def _free(row: Sequence[tuple[float, float]], span: tuple[float, float]) -> bool:
    return all(span[1] <= a or span[0] >= b for a, b in row)


def _baselines(axes: Axes, marks: Sequence[tuple[_Mark, int]]) -> list[str]:
    """A dashed line and a name for each; only the name where it lies beyond an edge."""
    parts, width = [], axes.size[0]
    for mark, row in marks:
        x = axes.margins.left + mark.place * (width - axes.margins.left - axes.margins.right)
        half, y = _LETTER * len(mark.text) / 2, _LINE * (row + 1)
        at = min(max(x, half + 2), width - half - 2)
        if 0 <= mark.place <= 1:
            parts.append(f'<path class="mark" d="M{x:.1f} {y + 3}V{axes.bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{y}" class="mid">{escape(mark.text)}</text>')
    return parts


def _score_line(axes: Axes, score: float, interval: tuple[float, float] | None) -> list[str]:
    """The score of all clips, and its interval as a band."""
    if not math.isfinite(score):
        return []
    top, parts = axes.margins.top, []
    if interval:
        left, right = axes.x(np.clip(interval, *axes.x_range))
        height = axes.bottom - top
        parts.append(
            f'<rect class="band" x="{left:.1f}" y="{top}" width="{right - left:.1f}"'
            f' height="{height}"/>'
        )
    parts.append(f'<path class="line" d="M{float(axes.x(score)):.1f} {top}V{axes.bottom}"/>')
    return ['<g class="model">', *parts, "</g>"]


def _dots(axes: Axes, bins: np.ndarray, labels: Sequence[str]) -> list[str]:
    """A dot for each clip above those of its bin, which tells clip and value when pointed at."""
    parts, heights = [], np.zeros(BINS, int)
    width = (axes.size[0] - axes.margins.left - axes.margins.right) / BINS
    for place, label in zip(bins, labels, strict=True):
        x = axes.margins.left + (place + 0.5) * width
        y = axes.bottom - DOT * (2 * heights[place] + 1)
        heights[place] += 1
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"><title>{escape(label)}</title></circle>'
        )
    return ['<g class="clips">', *parts, "</g>"]


def _bars(axes: Axes, bins: np.ndarray) -> list[str]:
    """A bar for each bin, the highest as high as the plot."""
    counts = np.bincount(bins, minlength=BINS)
    width = (axes.size[0] - axes.margins.left - axes.margins.right) / BINS
    unit = (axes.bottom - axes.margins.top - 4) / counts.max()
    parts = [
        f'<rect x="{axes.margins.left + place * width + 0.5:.1f}" width="{width - 1:.1f}"'
        f' y="{axes.bottom - count * unit:.1f}" height="{count * unit:.1f}">'
        f"<title>{count} clips</title></rect>"
        for place, count in enumerate(counts)
        if count
    ]
    return ['<g class="clips">', *parts, "</g>"]
