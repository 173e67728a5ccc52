"""Cepstra as the challenge's baselines hear them: 78 numbers a video frame, in NumPy.

They are Kaldi's MFCC (Povey et al. 2011, "The Kaldi speech recognition toolkit"), as its program
`compute-mfcc-feats` gives them with `--use-energy=true --dither=0` and all else default, of each
frame's sound by itself, with their differences. Nothing is shared between frames.
"""

from functools import cache

import numpy as np
from jaxtyping import Float

from jaxreact.face import FPS

CEPSTRA = 13
ROWS = 2
"""Windows of Kaldi's that fit into a video frame."""
MFCC_FEATURES = 3 * CEPSTRA * ROWS
"""78: values, differences, differences of differences; of each, 13 cepstra in two windows."""

_FILTERS = 23
_LOWEST = 20.0
"""Hz, where the first filter begins; the last ends at half the rate."""
_FLOOR = 2.0**-23
"""Least energy whose logarithm is taken: Kaldi's epsilon of float32."""
_PRE_EMPHASIS, _LIFTER = 0.97, 22


def mfcc_features(
    waveform: Float[np.ndarray, "samples"], rate: int, frames: int
) -> Float[np.ndarray, "frames 78"]:
    """Features of the first `frames` video frames, 25 a second, of sound at `rate` Hz in [-1, 1].

    A frame has `rate // 25` samples; sound that is too short is continued by silence. Feature
    `26 * order + 2 * cepstrum + window`: cepstrum 0 is the log energy; order 1 is the difference of
    the two windows, times 0.3 and the same for both; order 2 is zero (behaviour B2). The range is
    about [-100, 100]. Raises ValueError for a rate at which not exactly two windows fit.
    """
    samples, (width, shift) = rate // FPS, _window_sizes(rate)
    if width < 2 or 1 + (samples - width) // shift != ROWS:
        raise ValueError(f"{rate} Hz: not two windows of 25 ms fit into a frame; resample it")
    sound = np.zeros(frames * samples)
    given = waveform[: len(sound)]
    sound[: len(given)] = given
    sound = sound.reshape(frames, samples)
    windows = np.stack([sound[:, i * shift : i * shift + width] for i in range(ROWS)], axis=1)
    values = _cepstra(windows, rate).swapaxes(1, 2)  # (frames, cepstra, windows)
    # Regression over five columns of which the outer ones repeat: of two columns a and b,
    # (-2a - a + b + 2b) / 10 in both.
    change = np.broadcast_to(0.3 * (values[..., 1:] - values[..., :1]), values.shape)
    features = np.stack([values, change, np.zeros_like(values)], axis=1)
    return features.reshape(frames, MFCC_FEATURES).astype(np.float32)


def _window_sizes(rate: int) -> tuple[int, int]:
    """Samples of a window, 25 ms, and between the beginnings of two, 10 ms."""
    return int(0.025 * rate), int(0.010 * rate)


def _cepstra(windows: np.ndarray, rate: int) -> np.ndarray:
    """(..., samples of a window) -> (..., 13)."""
    windows = windows - windows.mean(-1, keepdims=True)
    energy = np.maximum(np.log(np.maximum(np.sum(windows**2, -1), _FLOOR)), 0.0)
    before = np.concatenate([windows[..., :1], windows[..., :-1]], axis=-1)
    shaped = (windows - _PRE_EMPHASIS * before) * _povey(windows.shape[-1])
    length = 1 << (windows.shape[-1] - 1).bit_length()
    power = np.abs(np.fft.rfft(shaped, length)) ** 2
    bands = np.log(np.maximum(power[..., :-1] @ _filters(rate, length), _FLOOR))
    cepstra = bands @ _cosines()
    cepstra[..., 0] = energy
    return cepstra


def _povey(width: int) -> np.ndarray:
    """Kaldi's window, like Hamming's but zero at both ends (`feat/feature-window.cc`)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / (width - 1))) ** 0.85


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127.0 * np.log(1.0 + hertz / 700.0)


@cache
def _filters(rate: int, length: int) -> np.ndarray:
    """(length / 2, 23): triangles in mel (`feat/mel-computations.cc`)."""
    low, high = _mel(np.array([_LOWEST, rate / 2]))
    step = (high - low) / (_FILTERS + 1)
    place = (_mel(np.arange(length // 2) * rate / length)[:, None] - low) / step
    rise = place - np.arange(_FILTERS)
    return np.maximum(0.0, np.minimum(rise, 2.0 - rise))


@cache
def _cosines() -> np.ndarray:
    """(23, 13): the discrete cosine transform and Kaldi's lifter (`feat/feature-functions.cc`)."""
    number = np.arange(CEPSTRA)
    angle = np.pi * (np.arange(_FILTERS)[:, None] + 0.5) * number / _FILTERS
    scale = np.where(number == 0, np.sqrt(1.0 / _FILTERS), np.sqrt(2.0 / _FILTERS))
    lifter = 1.0 + 0.5 * _LIFTER * np.sin(np.pi * number / _LIFTER)
    return scale * np.cos(angle) * lifter
