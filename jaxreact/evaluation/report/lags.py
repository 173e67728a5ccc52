"""The lag curves behind FRSyn: how alike reaction and speaker are when one is shifted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxreact.evaluation.report.evaluated import Evaluated, of_most, spread
from jaxreact.evaluation.report.scores import scored
from jaxreact.face import FPS
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.charts import Drawing, Figure, Key, band, grid, group, line, upright
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


def section(evaluated: Evaluated) -> dict[str, Any]:
    """Curves of model, ground truth and mime, and where their maxima are."""
    shown = spread(evaluated.shape[0], CLIPS)
    emotion, speaker, listener = (
        evaluated.predictions.emotion,
        evaluated.speaker,
        evaluated.listener,
    )
    kinds = [
        _lags("model", scored(evaluated).lower(), ((emotion[n], speaker[n]) for n in shown)),
        _lags("truth", "ground truth", ((listener[n][None], speaker[n]) for n in shown)),
        _lags("mime", "mime", ((speaker[n][None], speaker[n]) for n in shown)),
    ]
    moving = [lags for lags in kinds if np.isfinite(lags.curves).any()]
    charts = [_curve_chart(moving), _best_chart(moving[:2])] if moving else []
    return {"clips": of_most(shown, evaluated.shape[0]), "charts": charts}


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


def _curve_chart(kinds: list[Lags]) -> Figure:
    bands = {lags.kind: _summary(lags.curves) for lags in kinds}
    ends = _ends(bands)
    peaks = {kind: _peak(mean) for kind, (mean, _, _) in bands.items()}
    words = "; ".join(
        f"{lags.name}: highest {peaks[lags.kind][0]:.3g} at lag {peaks[lags.kind][1]}"
        for lags in kinds
    )
    description = f"Correlation over lags from -49 to 49 frames. {words}."
    drawings = []
    for style, size in {"small": SMALL, "large": LARGE}.items():
        axes = Axes((-MAX_LAG, MAX_LAG), ends, size, margins=_MARGINS)
        shapes = grid(axes, columns=10, name=_AXIS if style == "large" else _AXIS_SHORT)
        shapes.append(upright(axes, "mark", 0))
        for lags in reversed(kinds):
            mean, lower, upper = bands[lags.kind]
            area = band(axes, LAGS, lower, upper) if lags.kind != "mime" else []
            inside = np.where((mean >= ends[0]) & (mean <= ends[1]), mean, np.nan)
            shapes.append(group(lags.kind, *area, line(axes, "line", LAGS, inside)))
        drawings.append(Drawing(size, description, shapes, style))
    keys = []
    for lags in kinds:
        height, lag = peaks[lags.kind]
        keys.append(
            Key(lags.kind, f"{lags.name}, highest", height, f" at {lag:+d}" if lag else " at 0")
        )
    return Figure("Mean correlation with the speaker at each lag", drawings, keys, wide=True)


def _peak(mean: np.ndarray) -> tuple[float, int]:
    """The greatest value of a curve, and its lag."""
    place = int(np.nanargmax(mean))
    return float(mean[place]), int(LAGS[place])


def _ends(bands: dict[str, tuple[np.ndarray, ...]]) -> tuple[float, float]:
    """Ends of the axis of correlations.

    Mime is 1 at lag 0 by itself: its peak may leave the drawing for the others' sake.
    """
    shaped = [bands[kind] for kind in bands if kind != "mime"] or list(bands.values())
    low = min(np.nanmin(lower) for _, lower, _ in shaped)
    high = max(np.nanmax(upper) for _, _, upper in shaped)
    margin = 0.06 * (high - low) or 0.1
    return min(low, 0.0) - margin, min(max(high, 0.0) + margin, 1.05)


def _summary(courses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, 10 % and 90 % over clips at each lag; NaN where no clip has it."""
    result = np.full((3, courses.shape[1]), np.nan)
    known = np.isfinite(courses).any(axis=0)
    result[0, known] = np.nanmean(courses[:, known], axis=0)
    result[1:, known] = np.nanpercentile(courses[:, known], (10, 90), axis=0)
    return result[0], result[1], result[2]


def _best_chart(kinds: list[Lags]) -> Figure:
    """How often the maximum is at which lag, model and truth."""
    edges = np.linspace(-MAX_LAG - 0.5, MAX_LAG + 0.5, 34)  # three lags a bar
    shares = {
        lags.kind: 100 * np.histogram(lags.best, edges)[0] / max(1, len(lags.best))
        for lags in kinds
    }
    highest = max(share.max() for share in shares.values())
    axes = Axes((edges[0], edges[-1]), (0.0, 1.08 * highest or 1.0), SMALL, margins=_MARGINS)
    shapes = grid(axes, columns=10, name=_AXIS_SHORT)
    for lags in reversed(kinds):
        heights, steps = np.repeat(shares[lags.kind], 2), np.repeat(edges, 2)[1:-1]
        area = band(axes, steps, np.zeros_like(heights), heights) if lags.kind == "model" else []
        shapes.append(group(lags.kind, *area, line(axes, "line", steps, heights)))
    words = "; ".join(
        f"{lags.name}: mean distance from 0 {np.abs(lags.best).mean():.3g} frames"
        for lags in kinds
        if len(lags.best)
    )
    return Figure(
        "Best lags, % of the samples: their mean distance from 0 is FRSyn",
        [Drawing(SMALL, f"Where the maxima of the lag curves are. {words}.", shapes)],
        [Key(lags.kind, lags.name) for lags in kinds],
    )
