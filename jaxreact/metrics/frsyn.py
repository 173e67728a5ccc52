"""FRSyn: how many frames lie between the speaker's behaviour and the listener's reaction."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from tqdm import tqdm

from jaxreact.face import FPS
from jaxreact.metrics.centred import centred
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode
from jaxreact.metrics.parts import ClipValues, mean_over_samples
from jaxreact.metrics.score import Reactions, Score

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
    lags = offsets(predicted, heard)
    defined = np.isfinite(lags)
    samples = defined.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN of a motionless clip
        return np.where(defined, lags, 0.0).sum(axis=1) / samples, samples


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
    best = np.full(predictions.shape[:2], np.nan)
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
        best[clip, usable] = lags[course.argmax(axis=-1)][usable]
    return best


def lagged_correlation(
    samples: Float[np.ndarray, "samples frames channels"],
    other: Float[np.ndarray, "frames channels"],
) -> Float[np.ndarray, "samples 99 channels"]:
    """Pearson's r at lags -49 .. 49, float64, NaN where a window is constant or too short.

    Lag l > 0 compares samples[l:] with other[:-l], l < 0 samples[:l] with other[-l:]: a positive
    lag is a reaction that comes after the speaker.
    """
    frames = samples.shape[1]
    most = min(MAX_LAG, frames - 2)  # a window has two frames or more
    r = np.full((len(samples), samples.shape[2], 2 * MAX_LAG + 1), np.nan)
    if most >= 0:
        (_, x), (_, y) = centred(samples), centred(other[None])
        forwards = _Windows(x, most), _Windows(y[..., ::-1], most)
        backwards = _Windows(x[..., ::-1], most), _Windows(y, most)
        products = _products(x, y, most)
        r[..., MAX_LAG : MAX_LAG + most + 1] = _pearson(*backwards, products[..., most:])
        r[..., MAX_LAG - most : MAX_LAG + 1] = _pearson(*forwards, products[..., most::-1])[
            ..., ::-1
        ]
    return r.transpose(0, 2, 1)


def _products(
    x: Float[np.ndarray, "n channels frames"], y: Float[np.ndarray, "1 channels frames"], most: int
) -> Float[np.ndarray, "n channels lags"]:
    """Sums over t of x[t + lag] y[t] at lags -most .. most, by Fourier transforms."""
    size = 1 << (x.shape[-1] + most - 1).bit_length()  # so long that the ends do not meet
    spectrum = np.fft.rfft(x, size) * np.fft.rfft(y, size).conj()
    circular = np.fft.irfft(spectrum, size)
    return np.concatenate([circular[..., size - most :], circular[..., : most + 1]], axis=-1)


def _pearson(a: "_Windows", b: "_Windows", products: Float[np.ndarray, "n channels lags"]):
    """r at lags 0, 1, .. of series whose windows these are; NaN where one is constant."""
    covariance = products - a.total * b.total / a.length
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.clip(covariance / np.sqrt(a.spread * b.spread), -1, 1)
    return np.where(a.constant | b.constant, np.nan, r)


class _Windows:
    """Moments of centred series (n, C, T) without their last 0, 1, .. `most` frames.

    Running sums make the windows cheap; whether a window is constant is decided exactly, since a
    rounded variance of zero would not be zero.
    """

    def __init__(self, series: Float[np.ndarray, "n channels frames"], most: int):
        frames = series.shape[-1]
        self.length = np.arange(frames, frames - most - 1, -1)
        self.total = _beginnings(series, most)
        mean_square = np.square(self.total) / self.length
        self.spread = np.maximum(_beginnings(np.square(series), most) - mean_square, 0.0)
        """Sum of squared distances from the window's mean."""
        moved = series != series[..., :1]
        still = np.where(moved.any(axis=-1), moved.argmax(axis=-1), frames)
        self.constant = self.length <= still[..., None]


def _beginnings(
    series: Float[np.ndarray, "n channels frames"], most: int
) -> Float[np.ndarray, "n channels windows"]:
    """Sums of the first T, T - 1, .. T - most frames, longest first."""
    shortest = series.shape[-1] - most
    sums = series[..., shortest - 1 :].copy()
    sums[..., 0] = series[..., :shortest].sum(axis=-1)
    return sums.cumsum(axis=-1)[..., ::-1]


def _of_clips(reactions: Reactions) -> ClipValues:
    values, samples = frsyn_of_clips(reactions.predicted, reactions.speaker, reactions.mode)
    return ClipValues(values, samples=samples)


FRSYN = Score(
    name="FRSyn",
    of_clips=_of_clips,
    meaning="After how many frames (1/25 s, at most 49) a reaction is most like the speaker's"
    " behaviour. Lower counts as better; look at the lag curves before believing it.",
    better=-1,
    plain_mean=False,
    leaves_out="samples that do not move",
    counted_as="samples_without_synchrony",
)
