"""How each score is distributed over the clips, beside the naive baselines' means."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.evaluation.report.scores import BASELINES, scored
from jaxreact.evaluation.report.shown import ClipByClip
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.charts import Drawing, Figure, Key, Shape, box, dot, grid, group, text, upright
from jaxreact.html.numbers import short
from jaxreact.metrics.scores import labelled

SIZE = (380, 180)
BINS = 36
DOT = 4.4
"""Radius of a clip's dot. Where dots would not fit above each other there are bars instead."""

_LETTER, _LINE, _SIDE = 6.2, 12, 14
"""Width of a letter, height of a line of text, and margins, in units of the drawing."""


@dataclass(frozen=True)
class _Mark:
    """A baseline's mean: where its line stands, what is written above it, and in which row."""

    value: float
    words: str
    middle: float
    """Of the text, in units of the drawing."""
    row: int


def section(evaluated: ClipByClip) -> list[Figure] | None:
    """A chart for each score; None where the scores of single clips are not known."""
    if evaluated.table is None:
        return None
    return [
        _chart(evaluated, metric, values)
        for metric, values in evaluated.table.values.items()
        if np.isfinite(values).any()
    ]


def _chart(evaluated: ClipByClip, metric: str, values: Float[np.ndarray, "clips"]) -> Figure:
    score = evaluated.scores.get(metric, math.nan)
    clips = np.flatnonzero(np.isfinite(values))
    means = {
        BASELINES.get(name, name): scores[metric]
        for name, scores in evaluated.baselines.items()
        if math.isfinite(scores.get(metric, math.nan))
    }
    ends = _range(values[clips], score, list(means.values()))
    marks = _placed(means, ends)
    top = 8 + _LINE * (1 + max((mark.row for mark in marks), default=-1))
    axes = Axes(ends, (0.0, 1.0), SIZE, margins=Margins(_SIDE, _SIDE, top, 24))
    labels = [f"{evaluated.clips[int(clip)]}: {values[clip]:.4g}" for clip in clips]
    shapes = [
        *grid(axes, rows=0, columns=5),
        *_baselines(axes, marks),
        *_score_line(axes, score, evaluated.intervals.get(metric)),
        group("clips", *_clips(axes, values[clips], labels)),
    ]
    known = [f"{name} {short(round(mean, 4))}" for name, mean in means.items()]
    low, middle, high = np.percentile(values[clips], (0, 50, 100))
    description = (
        f"{metric} of {len(clips)} clips: from {low:.4g} to {high:.4g}, median {middle:.4g}."
        f" Baselines: {', '.join(known) or 'none'}."
    )
    without = len(values) - len(clips)
    return Figure(
        labelled(metric),
        [Drawing(SIZE, description, shapes)],
        [Key("model", scored(evaluated).lower(), score)],
        f"{without} clips without" if without else "",
    )


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


def _placed(means: dict[str, float], ends: tuple[float, float]) -> list[_Mark]:
    """Marks of baselines, their names in rows so that none stands over another."""
    low, high = ends
    rows: list[list[tuple[float, float]]] = []
    marks = []
    for name, mean in sorted(means.items(), key=lambda item: item[1]):
        words = name
        if not low <= mean <= high:
            beyond = f"{name} {short(round(mean, 3))}"
            words = f"← {beyond}" if mean < low else f"{beyond} →"
        half = _LETTER * len(words) / 2
        place = _SIDE + (mean - low) / (high - low) * (SIZE[0] - 2 * _SIDE)
        middle = min(max(place, half + 2), SIZE[0] - half - 2)
        span = (middle - half - 4, middle + half + 4)
        row = next((i for i, taken in enumerate(rows) if _free(taken, span)), len(rows))
        rows[row : row + 1] = [[*(rows[row] if row < len(rows) else []), span]]
        marks.append(_Mark(mean, words, middle, row))
    return marks


def _free(row: Sequence[tuple[float, float]], span: tuple[float, float]) -> bool:
    return all(span[1] <= a or span[0] >= b for a, b in row)


def _baselines(axes: Axes, marks: Sequence[_Mark]) -> list[Shape]:
    """A dashed line and a name for each; only the name where it lies beyond an edge."""
    shapes = []
    for mark in marks:
        y = _LINE * (mark.row + 1)
        if axes.x_range[0] <= mark.value <= axes.x_range[1]:
            shapes.append(upright(axes, "mark", mark.value, top=y + 3))
        shapes.append(text("mid", mark.middle, y, mark.words))
    return shapes


def _score_line(axes: Axes, score: float, interval: tuple[float, float] | None) -> list[Shape]:
    """The score of all clips, and its interval as a band."""
    if not math.isfinite(score):
        return []
    shapes = [upright(axes, "line", score)]
    if interval:
        left, right = axes.x(np.clip(interval, *axes.x_range))
        shapes.insert(0, box("band", left, axes.top, right - left, axes.bottom - axes.top))
    return [group("model", *shapes)]


def _clips(
    axes: Axes, values: Float[np.ndarray, "clips"], labels: Sequence[str]
) -> Iterator[Shape]:
    """A dot for each clip above those of its bin, which tells clip and value when pointed at.

    Where dots would not fit there is a bar for each bin instead, the highest as high as the plot.
    """
    low, high = axes.x_range
    bins = np.clip(((values - low) / (high - low) * BINS).astype(int), 0, BINS - 1)
    counts, width = np.bincount(bins, minlength=BINS), axes.width / BINS
    if 2 * DOT * counts.max() > axes.bottom - axes.top:
        unit = (axes.bottom - axes.top - 4) / counts.max()
        for place in np.flatnonzero(counts):
            height, left = counts[place] * unit, axes.left + place * width
            title = f"{counts[place]} clips"
            yield box("", left + 0.5, axes.bottom - height, width - 1, height, title)
        return
    heights = np.zeros(BINS, int)
    for place, label in zip(bins, labels, strict=True):
        y = axes.bottom - DOT * (2 * int(heights[place]) + 1)
        heights[place] += 1
        yield dot(axes.left + (place + 0.5) * width, y, DOT, label)
