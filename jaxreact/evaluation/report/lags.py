"""The lag curves behind FRSyn: how alike reaction and speaker are when one is shifted."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from jaxreact.evaluation.report.evaluated import Evaluated, of_most, spread
from jaxreact.evaluation.report.scores import scored
from jaxreact.face import FPS
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.figures import figure, key
from jaxreact.html.lines import band, drawing, line
from jaxreact.html.tables import number
from jaxreact.metrics.frsyn import MAX_LAG, lagged_correlation

CLIPS = 100
"""Clips that the curves are taken over at most, which takes some seconds."""

LAGS = np.arange(-MAX_LAG, MAX_LAG + 1)
SMALL, LARGE = (380, 250), (780, 320)
_MARGINS = Margins(48, 12, 10, 40)
_AXIS = "lag in frames of 1/25 s; right: the listener comes after the speaker"
_AXIS_SHORT = "lag in frames; right: after the speaker"


@dataclass(frozen=True)
class Lags:
    """The lag curves of one kind of reaction: `curves` of clips, best lags of all samples."""

    kind: str
    name: str
    curves: Float[np.ndarray, "clips 99"]
    best: Int[np.ndarray, "samples"]


def curves(
    samples: Float[np.ndarray, "samples frames 25"], speaker: Float[np.ndarray, "frames 25"]
) -> Float[np.ndarray, "samples 99"]:
    """Mean correlation over the channels at each lag: what FRSyn takes the greatest of.

    By the rules of `jaxreact.metrics.frsyn.offsets`; NaN where a lag takes no part.
    """
    r = lagged_correlation(samples, speaker)
    frames = len(speaker)
    r[:, frames - np.abs(LAGS) < min(FPS, frames // 2)] = np.nan
    known = np.isfinite(r)
    count = known.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.where(known, r, 0.0).sum(axis=-1) / np.where(count, count, np.nan)


def best_lags(courses: Float[np.ndarray, "samples 99"]) -> Int[np.ndarray, "known"]:
    """Signed lag of each curve's greatest value, of those that have one."""
    known = courses[np.isfinite(courses).any(axis=1)]
    return LAGS[np.nanargmax(known, axis=1)] if len(known) else np.zeros(0, int)


def section(evaluated: Evaluated) -> str:
    """Curves of model, ground truth and mime, and where their maxima are."""
    shown = spread(evaluated.shape[0], CLIPS)
    emotion, speaker, listener = (
        evaluated.predictions.emotion,
        evaluated.speaker,
        evaluated.listener,
    )
    found = [
        _lags("model", scored(evaluated).lower(), ((emotion[n], speaker[n]) for n in shown)),
        _lags("truth", "ground truth", ((listener[n][None], speaker[n]) for n in shown)),
        _lags("mime", "mime", ((speaker[n][None], speaker[n]) for n in shown)),
    ]
    found = [one for one in found if np.isfinite(one.curves).any()]
    if not found:
        return '<p class="quiet">No reaction moves: there is no correlation to show.</p>'
    remark = (
        f"Of {of_most(shown, evaluated.shape[0])}. Line: mean over the clips; area: the middle 80 %"
        " of them. FRSyn sees nothing of a curve but where its maximum is: a flat one puts it"
        " anywhere, and then the score is near that of Random. Maxima at the edges (±49) would lie"
        " beyond them if lags were longer."
    )
    return (
        f'<p class="quiet">{remark}</p><div class="charts">{_curve_chart(found)}'
        f"{_best_chart(found[:2])}</div>"
    )


def _lags(kind: str, name: str, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Lags:
    means, best = [], []
    for samples, speaker in pairs:
        if (samples == samples[:1]).all():  # one reaction copied
            samples = samples[:1]
        courses = curves(samples, speaker)
        best.append(best_lags(courses))
        count = np.isfinite(courses).sum(axis=0)
        total = np.where(np.isfinite(courses), courses, 0.0).sum(axis=0)
        means.append(total / np.where(count, count, np.nan))
    return Lags(kind, name, np.stack(means), np.concatenate(best))


def _curve_chart(found: list[Lags]) -> str:
    bands = {one.kind: _summary(one.curves) for one in found}
    # Mime is 1 at lag 0 by itself: its peak may leave the drawing for the others' sake.
    shaped = [one for one in found if one.kind != "mime"] or found
    low = min(np.nanmin(bands[one.kind][1]) for one in shaped)
    high = max(np.nanmax(bands[one.kind][2]) for one in shaped)
    margin = 0.06 * (high - low) or 0.1
    ends = (min(low, 0.0) - margin, min(max(high, 0.0) + margin, 1.05))
    drawings = []
    for style, size in {"small": SMALL, "large": LARGE}.items():
        axes = Axes((-MAX_LAG, MAX_LAG), ends, size, margins=_MARGINS)
        parts = [axes.grid(columns=10, name=_AXIS if style == "large" else _AXIS_SHORT)]
        parts.append(f'<path class="mark" d="M{float(axes.x(0)):.1f} 10V{axes.bottom}"/>')
        for one in reversed(found):
            mean, lower, upper = bands[one.kind]
            shape = band(axes, LAGS, lower, upper) if one.kind != "mime" else ""
            mean = np.where((mean >= ends[0]) & (mean <= ends[1]), mean, np.nan)
            parts.append(f'<g class="{one.kind}">{shape}{line(axes, "line", LAGS, mean)}</g>')
        drawings.append(drawing(size, _in_words(found, bands), parts, style))
    keys = [key(one.kind, f"{one.name}, highest {_peak(bands[one.kind][0])}") for one in found]
    return figure("Mean correlation with the speaker at each lag", keys, drawings, wide=True)


def _summary(courses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, 10 % and 90 % over clips at each lag; NaN where no clip has it."""
    result = np.full((3, courses.shape[1]), np.nan)
    known = np.isfinite(courses).any(axis=0)
    result[0, known] = np.nanmean(courses[:, known], axis=0)
    result[1:, known] = np.nanpercentile(courses[:, known], (10, 90), axis=0)
    return result[0], result[1], result[2]


def _peak(mean: np.ndarray) -> str:
    place = int(np.nanargmax(mean))
    return (
        f"{number(mean[place])} at {LAGS[place]:+d}"
        if LAGS[place]
        else f"{number(mean[place])} at 0"
    )


def _in_words(found: list[Lags], bands: dict[str, tuple[np.ndarray, ...]]) -> str:
    peaks = [
        f"{one.name}: highest {np.nanmax(bands[one.kind][0]):.3g} at lag"
        f" {LAGS[int(np.nanargmax(bands[one.kind][0]))]}"
        for one in found
    ]
    return f"Correlation over lags from -49 to 49 frames. {'; '.join(peaks)}."


def _best_chart(found: list[Lags]) -> str:
    """How often the maximum is at which lag, model and truth."""
    edges = np.linspace(-MAX_LAG - 0.5, MAX_LAG + 0.5, 34)  # three lags a bar
    shares = {one.kind: np.histogram(one.best, edges)[0] / max(1, len(one.best)) for one in found}
    highest = 100 * max(share.max() for share in shares.values())
    axes = Axes((edges[0], edges[-1]), (0.0, 1.08 * highest or 1.0), SMALL, margins=_MARGINS)
    parts = [axes.grid(columns=10, name=_AXIS_SHORT)]
    for one in reversed(found):
        heights = 100 * np.repeat(shares[one.kind], 2)
        steps = np.repeat(edges, 2)[1:-1]
        fill = band(axes, steps, np.zeros_like(heights), heights) if one.kind == "model" else ""
        parts.append(f'<g class="{one.kind}">{fill}{line(axes, "line", steps, heights)}</g>')
    words = [
        f"{one.name}: mean distance from 0 {np.abs(one.best).mean():.3g} frames"
        for one in found
        if len(one.best)
    ]
    keys = [key(one.kind, one.name) for one in found]
    description = f"Where the maxima of the lag curves are. {'; '.join(words)}."
    return figure(
        "Best lags, % of the samples: their mean distance from 0 is FRSyn",
        keys,
        [drawing(SMALL, description, parts)],
    )
