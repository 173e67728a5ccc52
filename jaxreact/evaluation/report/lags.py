"""The lag curves behind FRSyn: how alike reaction and speaker are when one is shifted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxreact.evaluation.report.evaluated import of_most, spread
from jaxreact.evaluation.report.scores import scored
from jaxreact.evaluation.report.shown import ClipByClip
from jaxreact.face import FPS
from jaxreact.html.axes import Axes, Margins
from jaxreact.html.charts import Drawing, Figure, Key, band, grid, group, line, upright
from jaxreact.metrics.frsyn import lagged_correlation, longest_lag

CLIPS = 100
"""Clips that the curves are taken over at most, which takes some seconds."""

SMALL, LARGE = (380, 250), (780, 320)
_MARGINS = Margins(48, 12, 10, 40)
_NONE = np.zeros(0, int)
_AXIS = "lag in frames; right: after the speaker"


@dataclass(frozen=True)
class Lags:
    """The lag curves of one kind of reaction: `curves` of clips, best lags of all samples."""

    kind: str
    name: str
    curves: Float[np.ndarray, "clips lags"]
    best: Int[np.ndarray, "samples"]


def curves(
    samples: Float[np.ndarray, "samples frames 25"],
    speaker: Float[np.ndarray, "frames 25"],
    fps: int = FPS,
) -> Float[np.ndarray, "samples lags"]:
    """Mean correlation over the channels at each lag: what FRSyn takes the greatest of.

    By the rules of `jaxreact.metrics.frsyn.offsets`; NaN where a lag takes no part.
    """
    r = lagged_correlation(samples, speaker, longest_lag(fps))
    frames = len(speaker)
    too_short = frames - np.abs(_lags_of(r.shape[1])) < min(fps, frames // 2)
    r[:, too_short] = np.nan
    known = np.isfinite(r)
    count = known.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.where(known, r, 0.0).sum(axis=-1) / np.where(count, count, np.nan)


def best_lags(courses: Float[np.ndarray, "samples lags"]) -> Int[np.ndarray, "known"]:
    """Signed lag of each curve's greatest value, of those that have one."""
    known = courses[np.isfinite(courses).any(axis=1)]
    return _lags_of(courses.shape[1])[np.nanargmax(known, axis=1)] if len(known) else _NONE


def section(evaluated: ClipByClip, fps: int = FPS) -> dict[str, Any]:
    """Curves of model, ground truth and mime, and where their maxima are, at `fps` frames a second.

    Of persons who end at different times the frames that both have are compared.
    """
    shown = spread(len(evaluated.clips), CLIPS)
    clips = [evaluated.emotion(clip) for clip in shown.tolist()]
    speakers = [clip.recorded["speaker"] for clip in clips]
    kinds = [
        _lags(kind, name, zip(samples, speakers, strict=True), fps)
        for kind, name, samples in (
            ("model", scored(evaluated).lower(), [clip.samples for clip in clips]),
            ("truth", "ground truth", [clip.recorded["listener"][None] for clip in clips]),
            ("mime", "mime", [speaker[None] for speaker in speakers]),
        )
    ]
    moving = [lags for lags in kinds if np.isfinite(lags.curves).any()]
    title = "Best lags, % of the samples"
    if evaluated.content["mode"] == "corrected":
        title += ": their mean distance from 0 is FRSyn"
    charts = [_curve_chart(moving, fps), _best_chart(moving[:2], title)] if moving else []
    count = of_most(shown, len(evaluated.clips))
    return {"clips": count, "charts": charts, "most": longest_lag(fps)}


def _lags_of(count: int) -> Int[np.ndarray, "lags"]:
    """The lags of so many, 0 in the middle."""
    return np.arange(count) - count // 2


def _lags(kind: str, name: str, pairs: Iterable[tuple[np.ndarray, np.ndarray]], fps: int) -> Lags:
    means, best = [], []
    for samples, speaker in pairs:
        frames = min(samples.shape[1], len(speaker))
        samples, speaker = samples[:, :frames], speaker[:frames]
        if (samples == samples[:1]).all():  # one reaction copied
            samples = samples[:1]
        courses = curves(samples, speaker, fps)
        best.append(best_lags(courses))
        count = np.isfinite(courses).sum(axis=0)
        total = np.where(np.isfinite(courses), courses, 0.0).sum(axis=0)
        means.append(total / np.where(count, count, np.nan))
    return Lags(kind, name, np.stack(means), np.concatenate(best))


def _curve_chart(kinds: list[Lags], fps: int) -> Figure:
    most = longest_lag(fps)
    shown = _lags_of(2 * most + 1)
    bands = {lags.kind: _summary(lags.curves) for lags in kinds}
    ends = _ends(bands)
    peaks = {kind: _peak(mean) for kind, (mean, _, _) in bands.items()}
    words = "; ".join(
        f"{lags.name}: highest {peaks[lags.kind][0]:.3g} at lag {peaks[lags.kind][1]}"
        for lags in kinds
    )
    description = f"Correlation over lags from -{most} to {most} frames. {words}."
    drawings = []
    for style, size in {"small": SMALL, "large": LARGE}.items():
        axes = Axes((-most, most), ends, size, margins=_MARGINS)
        long = f"lag in frames of 1/{fps} s; right: the listener comes after the speaker"
        shapes = grid(axes, columns=10, name=long if style == "large" else _AXIS)
        shapes.append(upright(axes, "mark", 0))
        for lags in reversed(kinds):
            mean, lower, upper = bands[lags.kind]
            area = band(axes, shown, lower, upper) if lags.kind != "mime" else []
            inside = np.where((mean >= ends[0]) & (mean <= ends[1]), mean, np.nan)
            shapes.append(group(lags.kind, *area, line(axes, "line", shown, inside)))
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
    return float(mean[place]), place - len(mean) // 2


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


def _best_chart(kinds: list[Lags], title: str) -> Figure:
    """How often the maximum is at which lag, model and truth."""
    most = kinds[0].curves.shape[1] // 2
    side = -(-(most - 1) // 3)
    edges = 3 * (np.arange(-side, side + 2) - 0.5)  # three lags a bar, 0 in the middle of one
    shares = {
        lags.kind: 100 * np.histogram(lags.best, edges)[0] / max(1, len(lags.best))
        for lags in kinds
    }
    highest = max(share.max() for share in shares.values())
    axes = Axes((edges[0], edges[-1]), (0.0, 1.08 * highest or 1.0), SMALL, margins=_MARGINS)
    shapes = grid(axes, columns=10, name=_AXIS)
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
        title,
        [Drawing(SMALL, f"Where the maxima of the lag curves are. {words}.", shapes)],
        [Key(lags.kind, lags.name) for lags in kinds],
    )
