"""FRSyn: how many frames lie between the speaker's behaviour and the listener's reaction."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from tqdm import tqdm

from jaxreact.face import FPS
from jaxreact.metrics.centred import centred
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_fps, check_mode
from jaxreact.metrics.parts import ClipValues, mean_over_samples
from jaxreact.metrics.ragged.inputs import is_ragged
from jaxreact.metrics.ragged.reactions import OfRagged, RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.targets import Clips, Sequences


def longest_lag(fps: int = FPS) -> int:
    """The most frames by which speaker and listener are shifted, just under two seconds: 49."""
    return 2 * fps - 1


def frsyn(
    predictions: ArrayLike | Sequence[ArrayLike],
    speaker: ArrayLike | Sequence[ArrayLike],
    mode: str = "corrected",
    *,
    fps: int = FPS,
) -> float:
    """Time-lagged cross correlation (TLCC) with the speaker: |best lag|, 0 to 49 frames of 1/25 s.

    FRSyn = mean of |argmax over lags of c(lag)|, c(lag) the mean over the 25 channels of Pearson's
    r between predictions (N, K, T, 25) and speaker (N, T, 25) shifted against each other; lower is
    better. Source: Boker et al. 2002; Song et al., REACT 2023/2024 (FRSyn).

    `corrected` takes the mean over all samples whose offset is defined (see `offsets`), NaN if
    there is none. `original` looks at the first sample of each clip only (behaviour 5), and any
    undefined correlation wins the argmax, -49 frames first (behaviour 6): a channel that is
    constant, or constant within a window, gives 49 or nearly so.

    Clips may have lengths of their own, predictions[n] (K, T_n, 25) and speaker[n] (S_n, 25), which
    are cut to the shorter. `react2026` then does as `original` does, on rounded action units.
    `corrected` compares lags of just under two seconds: at `fps` other than 25 frames a second lags
    of up to 2 `fps` - 1 frames, and its result is in frames of 1/`fps` s. MARS has 30.
    """
    if is_ragged(predictions, mode, speaker):
        return _of_ragged(ragged_reactions(predictions, None, speaker, mode, fps=fps)).total
    check_mode(mode)
    check_fps(fps)
    predicted = as_predictions(predictions)
    heard = as_sequences("speaker", speaker, predicted)
    values, samples = frsyn_of_clips(predicted, heard, mode, fps)
    return mean_over_samples(values, samples)


def frsyn_of_clips(
    predicted: Clips, heard: Sequences, mode: str, fps: int = FPS
) -> tuple[Float[np.ndarray, "clips"], Float[np.ndarray, "clips"]]:
    """The mean |best lag| of every clip, float64, and over how many samples it is taken.

    A clip none of whose samples has a defined offset is NaN, of 0 samples. Clips and speakers have
    the same lengths.
    """
    if mode != "corrected":
        return _offsets_as_original(predicted, heard), np.ones(len(predicted))
    lags = offsets(predicted, heard, fps)
    defined = np.isfinite(lags)
    samples = defined.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN of a motionless clip
        return np.where(defined, lags, 0.0).sum(axis=1) / samples, samples


def _offsets_as_original(predicted: Clips, heard: Sequences) -> Float[np.ndarray, "clips"]:
    """|best lag| of each clip's first sample, where a NaN wins the argmax (behaviours 5, 6)."""
    lags = np.empty(len(predicted))
    for clip, (samples, other) in enumerate(zip(predicted, heard, strict=True)):
        # float32 like the original, whose ties are decided by this rounding
        course = lagged_correlation(samples[:1], other)[0].astype(np.float32).mean(axis=-1)
        lags[clip] = abs(int(np.argmax(course)) - longest_lag())  # argmax stops at the first NaN
    return lags


def offsets(
    predictions: Clips, speaker: Sequences, fps: int = FPS
) -> Float[np.ndarray, "clips samples"]:
    """|best lag| of every sample in frames, where undefined correlations do not take part.

    At each lag the mean is over the channels that vary in both windows; a lag without any is left
    out. So are lags that leave windows of less than a second (half the clip if it is shorter than
    two), whose correlations are high by chance. NaN for a sample of which no lag is left, such as
    a motionless face.
    """
    best = np.full((len(predictions), len(predictions[0])), np.nan)
    max_lag = longest_lag(fps)
    lags = np.abs(np.arange(-max_lag, max_lag + 1))
    pairs = zip(predictions, speaker, strict=True)
    for clip, (samples, other) in enumerate(
        tqdm(pairs, "FRSyn", total=len(speaker), unit="clip", delay=2, disable=None)
    ):
        too_short = len(other) - lags < min(fps, len(other) // 2)
        r = lagged_correlation(samples, other, max_lag)
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
    max_lag: int = longest_lag(),
) -> Float[np.ndarray, "samples lags channels"]:
    """Pearson's r at lags -49 .. 49, float64, NaN where a window is constant or too short.

    Or at -`max_lag` .. `max_lag`.

    Lag l > 0 compares samples[l:] with other[:-l], l < 0 samples[:l] with other[-l:]: a positive
    lag is a reaction that comes after the speaker.
    """
    frames = samples.shape[1]
    most = min(max_lag, frames - 2)  # a window has two frames or more
    r = np.full((len(samples), samples.shape[2], 2 * max_lag + 1), np.nan)
    if most >= 0:
        (_, x), (_, y) = centred(samples), centred(other[None])
        forwards = _Windows(x, most), _Windows(y[..., ::-1], most)
        backwards = _Windows(x[..., ::-1], most), _Windows(y, most)
        products = _products(x, y, most)
        r[..., max_lag : max_lag + most + 1] = _pearson(*backwards, products[..., most:])
        r[..., max_lag - most : max_lag + 1] = _pearson(*forwards, products[..., most::-1])[
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


def _of_ragged(reactions: RaggedReactions) -> ClipValues:
    assert reactions.speaker is not None
    predicted, heard = [], []
    for clip, speaker in zip(reactions.predicted, reactions.speaker, strict=True):
        frames = min(clip.shape[1], len(speaker))
        predicted.append(clip[:, :frames])
        heard.append(speaker[:frames])
    values, samples = frsyn_of_clips(predicted, heard, reactions.mode, reactions.fps)
    return ClipValues(values, samples=samples)


FRSYN = Score(
    name="FRSyn",
    of_clips=_of_clips,
    meaning="After how many frames (1/{fps} s, at most {lag}) a reaction is most like the speaker's"
    " behaviour. Lower counts as better; look at the lag curves before believing it.",
    better=-1,
    plain_mean=False,
    leaves_out="samples that do not move",
    counted_as="samples_without_synchrony",
    ragged=OfRagged(_of_ragged, needs="speaker"),
)
