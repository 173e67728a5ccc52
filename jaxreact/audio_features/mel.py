"""Sound as power in mel bands, without a logarithm, in NumPy: what Learning2Listen hears.

As `librosa.feature.melspectrogram` gives it of 16 kHz sound with `n_fft=512`, `win_length=400`,
`hop_length=160` and all else default: Hann's window, 128 bands on Slaney's scale of mel, each of
unit area. That is 100 steps a second, 4 a frame of 25 frames a second.
"""

from functools import cache

import numpy as np
from jaxtyping import Float
from PIL import Image

from jaxreact.media.sound import SAMPLE_RATE

BANDS = 128
HOP = 160
"""Samples of a step."""
BEFORE = 240
"""Samples that a step hears before its own ones."""
_WINDOW, _TRANSFORM = HOP + BEFORE, 512

_LINEAR = 200 / 3
"""Hz of a mel, as far as the scale is linear."""
_BREAK = 1000.0
"""Hz from which it is logarithmic."""
_STEP = np.log(6.4) / 27
"""Of the logarithm, a mel."""


def mel_bands(sound: Float[np.ndarray, "*batch samples"]) -> Float[np.ndarray, "*batch steps 128"]:
    """Power of every stretch of 400 samples, one each 160, that lies within the sound."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW, axis=-1)[..., ::HOP, :]
    spectrum = np.fft.rfft(windows * _hann(), _TRANSFORM)
    return _in_bands(spectrum.real**2 + spectrum.imag**2).astype(np.float32)


def mel_features(
    waveform: Float[np.ndarray, "*batch samples"], steps: int
) -> Float[np.ndarray, "*batch steps 128"]:
    """The first steps of 16 kHz sound in about [-1, 1], 0 and more; too short, it goes on silent.

    A step hears its own 10 ms and the 15 ms before, nothing later, so that a stream hears the same.
    """
    waveform = waveform[..., : steps * HOP]
    sides = [(0, 0)] * (waveform.ndim - 1)
    missing = steps * HOP - waveform.shape[-1]
    return mel_bands(np.pad(waveform, [*sides, (BEFORE, missing)]))


def stretched_mel_features(
    waveform: Float[np.ndarray, "samples"], steps: int
) -> Float[np.ndarray, "steps 128"]:
    """So many steps of all of a sound, for faces of another rate than 25 frames a second.

    Steps hear 12.5 ms to either side; their picture is resized by Lanczos's filter, as those who
    train Learning2Listen at 30 frames a second do.
    """
    bands = mel_bands(np.pad(waveform, _WINDOW // 2))
    picture = Image.fromarray(np.ascontiguousarray(bands))
    return np.asarray(picture.resize((BANDS, steps), Image.Resampling.LANCZOS))


def _hann() -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)


def _in_bands(power: np.ndarray) -> np.ndarray:
    """(..., 257) -> (..., 128), the sums under triangles between the centres of neighbours.

    A bin lies on the rising side of one triangle and the falling side of the one before. Not a
    product of matrices: its threads would wait for cores that training keeps busy.
    """
    starts, between, rising, falling = _triangles()
    sums = np.zeros((2, *power.shape[:-1], BANDS + 2))
    for side, weights in zip(sums, (rising, falling), strict=True):
        side[..., between] = np.add.reduceat(power * weights, starts, axis=-1)
    return sums[0][..., :BANDS] + sums[1][..., 1 : BANDS + 1]


@cache
def _triangles() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where a run of bins between the same two edges starts, which edges these are, and the weight
    of every bin in the triangle that rises there and in the one that falls."""
    highest = _mel(np.array(SAMPLE_RATE / 2))
    edges = _hertz(np.linspace(0.0, highest, BANDS + 2))
    place = np.arange(_TRANSFORM // 2 + 1) * SAMPLE_RATE / _TRANSFORM
    edge = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, BANDS)
    rise = (place - edges[edge]) / (edges[edge + 1] - edges[edge])
    area = np.concatenate([2 / (edges[2:] - edges[:-2]), [0.0]])
    starts = np.flatnonzero(np.diff(edge, prepend=-1))
    return starts, edge[starts], rise * area[edge], (1 - rise) * area[edge - 1]


def _mel(hertz: np.ndarray) -> np.ndarray:
    above = _BREAK / _LINEAR + np.log(np.maximum(hertz, _BREAK) / _BREAK) / _STEP
    return np.where(hertz < _BREAK, hertz / _LINEAR, above)


def _hertz(mel: np.ndarray) -> np.ndarray:
    above = _BREAK * np.exp(_STEP * (mel - _BREAK / _LINEAR))
    return np.where(mel < _BREAK / _LINEAR, mel * _LINEAR, above)
