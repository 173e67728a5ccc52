"""FRSyn: how many frames lie between the speaker's behaviour and the listener's reaction."""

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike
from tqdm import tqdm

from jaxreact.face import FPS
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode

MAX_LAG = 2 * FPS - 1
"""Lags of -49 to 49 frames are compared: just under two seconds."""


def frsyn(predictions: ArrayLike, speaker: ArrayLike, mode: str = "corrected") -> float:
    """Time-lagged cross correlation (TLCC) with the speaker: |best lag|, 0 to 49 frames of 1/25 s.

    FRSyn = mean of |argmax over lags of c(lag)|, c(lag) the mean over the 25 channels of Pearson's
    r between predictions (N, K, T, 25) and speaker (N, T, 25) shifted against each other; lower is
    better. Source: Boker et al. 2002; Song et al., REACT 2023/2024 (FRSyn).

    `corrected` takes the mean over all samples whose offset is defined (see `offsets`), NaN if
    there is none. `original` looks at the first sample of each clip only (behaviour 5), and any
    undefined correlation wins the argmax, -49 frames first (behaviour 6): a channel that is
    constant, or constant within a window, gives 49 or nearly so.
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    values, samples = frsyn_of_clips(predicted, as_sequences("speaker", speaker, predicted), mode)
    return mean_over_samples(values, samples)


def frsyn_of_clips(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    heard: Float[np.ndarray, "clips frames 25"],
    mode: str,
) -> tuple[Float[np.ndarray, "clips"], Float[np.ndarray, "clips"]]:
    """The mean |best lag| of every clip, float64, and over how many samples it is taken.

    A clip none of whose samples has a defined offset is NaN, of 0 samples.
    """
    if mode == "original":
        return _offsets_as_original(predicted, heard), np.ones(len(predicted))
    found = offsets(predicted, heard)
    defined = np.isfinite(found)
    samples = defined.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN of a motionless clip
        return np.where(defined, found, 0.0).sum(axis=1) / samples, samples


def mean_over_samples(
    values: Float[np.ndarray, "clips"], samples: Float[np.ndarray, "clips"]
) -> float:
    """FRSyn of all clips from each clip's mean over some of its samples; NaN without any."""
    taking_part = samples > 0
    if not taking_part.any():
        return float("nan")
    return float(np.average(values[taking_part], weights=samples[taking_part]))


def _offsets_as_original(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    heard: Float[np.ndarray, "clips frames 25"],
) -> Float[np.ndarray, "clips"]:
    """|best lag| of each clip's first sample, where a NaN wins the argmax (behaviours 5, 6)."""
    lags = np.empty(len(predicted))
    for clip, (samples, other) in enumerate(zip(predicted[:, :1], heard, strict=True)):
        # float32 like the original, whose ties are decided by this rounding
        course = lagged_correlation(samples, other)[0].astype(np.float32).mean(axis=-1)
        lags[clip] = abs(int(np.argmax(course)) - MAX_LAG)  # argmax stops at the first NaN
    return lags


def offsets(
    predictions: Float[np.ndarray, "clips samples frames 25"],
    speaker: Float[np.ndarray, "clips frames 25"],
) -> Float[np.ndarray, "clips samples"]:
    """|best lag| of every sample in frames, where undefined correlations do not take part.

    At each lag the mean is over the channels that vary in both windows; a lag without any is left
    out. So are lags that leave windows of less than a second (half the clip if it is shorter than
    two), whose correlations are high by chance. NaN for a sample of which no lag is left, such as
    a motionless face.
    """
    found = np.full(predictions.shape[:2], np.nan)
    lags = np.abs(np.arange(-MAX_LAG, MAX_LAG + 1))
    frames = speaker.shape[1]
    too_short = frames - lags < min(FPS, frames // 2)
    pairs = zip(predictions, speaker, strict=True)
    for clip, (samples, other) in enumerate(
        tqdm(pairs, "FRSyn", total=len(speaker), unit="clip", delay=2, disable=None)
    ):
        r = lagged_correlation(samples, other)
        defined = np.isfinite(r) & ~too_short[:, None]
        count = defined.sum(axis=-1)
        course = np.where(defined, r, 0.0).sum(axis=-1) / np.maximum(count, 1)
        course[count == 0] = -np.inf
        usable = (count > 0).any(axis=-1)
        found[clip, usable] = lags[course.argmax(axis=-1)][usable]
    return found


def lagged_correlation(
    samples: Float[np.ndarray, "samples frames channels"],
    other: Float[np.ndarray, "frames channels"],
) -> Float[np.ndarray, "samples 99 channels"]:
    """Pearson's r at lags -49 .. 49, float64, NaN where a window is constant or too short.

    Lag l > 0 compares samples[l:] with other[:-l], l < 0 samples[:l] with other[-l:]: a positive
    lag is a reaction that comes after the speaker.
    """
    x = samples - samples.mean(axis=1, keepdims=True, dtype=np.float64)
    y = (other - other.mean(axis=0, dtype=np.float64))[None]
    first_of = {"x": _Beginnings(x), "y": _Beginnings(y)}
    last_of = {"x": _Beginnings(x[:, ::-1]), "y": _Beginnings(y[:, ::-1])}
    frames = samples.shape[1]
    r = np.full((len(samples), 2 * MAX_LAG + 1, samples.shape[2]), np.nan)
    for lag in range(-MAX_LAG, MAX_LAG + 1):
        length = frames - abs(lag)
        if length < 2:
            continue
        early, late = ("y", "x") if lag > 0 else ("x", "y")
        a, b = first_of[early], last_of[late]
        shifted = {early: slice(None, length), late: slice(frames - length, None)}
        products = np.einsum("ktc,tc->kc", x[:, shifted["x"]], y[0, shifted["y"]])
        covariance = products - a.total(length) * b.total(length) / length
        with np.errstate(divide="ignore", invalid="ignore"):
            value = covariance / np.sqrt(a.spread(length) * b.spread(length))
        undefined = a.constant(length) | b.constant(length)
        r[:, lag + MAX_LAG] = np.where(undefined, np.nan, np.clip(value, -1, 1))
    return r


class _Beginnings:
    """Moments of the first frames of centred series (n, T, C), for any number of frames.

    Running sums make the 99 windows cheap; whether a window is constant is decided exactly, since
    a rounded variance of zero would not be zero.
    """

    def __init__(self, series: Float[np.ndarray, "n frames channels"]):
        self._sums = series.cumsum(axis=1)
        self._squares = np.square(series).cumsum(axis=1)
        moved = series != series[:, :1]
        self._still = np.where(moved.any(axis=1), moved.argmax(axis=1), series.shape[1])

    def total(self, length: int) -> Float[np.ndarray, "n channels"]:
        """Sum of the first `length` frames."""
        return self._sums[:, length - 1]

    def spread(self, length: int) -> Float[np.ndarray, "n channels"]:
        """Sum of squared distances from the mean of the first `length` frames."""
        mean_square = np.square(self.total(length)) / length
        return np.maximum(self._squares[:, length - 1] - mean_square, 0.0)

    def constant(self, length: int) -> Bool[np.ndarray, "n channels"]:
        """Whether the first `length` frames are all equal."""
        return length <= self._still
