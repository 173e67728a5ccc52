"""Sound from articulation: a source-filter formant synthesiser (after Klatt 1980)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from jaxreact.simulation.articulation import CONTROL_RATE, Articulation
from jaxreact.simulation.person import Voice

SAMPLE_RATE = 44_100
_HOP = SAMPLE_RATE // CONTROL_RATE
_WINDOW = 4 * _HOP
_FFT = 1024
_BANDWIDTHS = (70.0, 100.0, 140.0, 250.0, 300.0)
_UPPER_FORMANTS = (3500.0, 4500.0)
_PULSE_GAIN, _HISS_GAIN = 180.0, 0.6
"""Bring pulses and hiss to a root mean square of about 0.1 and 0.03 behind their filters."""
_ROOM_NOISE = 0.0001
"""Standard deviation of what a silent microphone records, about 60 dB below the voice."""


def _pulses(pitch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One unit impulse a glottal period, split over two samples to keep its exact time.

    Periods vary by about 1 % and their strength by 5 % (jitter and shimmer of a healthy voice).
    """
    count = len(pitch) * _HOP
    frequency = np.interp(np.arange(count) / _HOP, np.arange(len(pitch)), pitch)
    phase = np.cumsum(frequency) / SAMPLE_RATE
    at = np.flatnonzero(np.diff(np.floor(phase), prepend=0.0) > 0)
    late = (phase[at] % 1.0) / (frequency[at] / SAMPLE_RATE)  # samples since the true instant
    time = np.clip(
        at - late + rng.normal(0, 0.003, at.shape) * SAMPLE_RATE / frequency[at], 1, None
    )
    whole = np.minimum(time.astype(int), count - 2)
    part = time - whole
    strength = rng.normal(1, 0.05, at.shape) * np.sqrt(1 / frequency[at])  # equal power per second
    pulses = np.zeros(count + 1)
    np.add.at(pulses, whole, strength * (1 - part))
    np.add.at(pulses, whole + 1, strength * part)
    return pulses[:count]


def _vowel_filter(formants: np.ndarray, scale: float) -> np.ndarray:
    """Complex responses (time, bins): five resonances, the glottis' tilt and the lips' radiation.

    A resonance F with bandwidth B is F^2 / (F^2 - f^2 + i B f): causal, 1 at 0 Hz.
    """
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE).astype(np.float32)
    upper = [np.full(len(formants), f * scale) for f in _UPPER_FORMANTS]
    columns = [*formants.T, *upper]
    response = np.ones((len(formants), len(hertz)), np.complex64)
    for centre, bandwidth in zip(columns, _BANDWIDTHS, strict=True):
        square = centre.astype(np.float32)[:, None] ** 2
        response *= square / (square - hertz**2 + 1j * np.float32(bandwidth) * hertz)
    # The glottis falls by 12 dB an octave, radiation rises by 6; nothing passes at 0 Hz.
    tilt = (hertz / 200) / (1 + (hertz / 200) ** 2) / (1 + (hertz / 9000) ** 4)
    return response * tilt.astype(np.float32)


def _noise_filter(centre: np.ndarray) -> np.ndarray:
    """A broad hump (time, bins) at the constriction's frequency."""
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE).astype(np.float32)
    centre = centre.astype(np.float32)[:, None]
    return np.exp(-(((hertz - centre) / (0.35 * centre)) ** 2))


def _shaped(
    source: np.ndarray, make_filters: Callable[[np.ndarray], np.ndarray], level: np.ndarray
) -> np.ndarray:
    """Filters `source` block by block (overlap-add, hop of one control value) where it sounds.

    `make_filters` maps the indices of the blocks to complex responses (blocks, bins).
    """
    padded = np.pad(source, (_WINDOW // 2, _FFT)).astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    window = (np.hanning(_WINDOW + 1)[:-1] / 2).astype(np.float32)  # four of them add up to one
    out = np.zeros((len(level) + 6, _HOP), np.float32)
    for active in np.array_split(np.flatnonzero(level > 1e-4), 16):  # in pieces that fit the cache
        spectrum = np.fft.rfft(blocks[active] * window, _FFT) * make_filters(active)
        shaped = np.fft.irfft(spectrum, _FFT) * level[active, None]
        for row, part in enumerate(range(0, _FFT, _HOP)):
            piece = shaped[:, part : part + _HOP]
            out[active + row, : piece.shape[1]] += piece
    return out.ravel()[_WINDOW // 2 : _WINDOW // 2 + len(level) * _HOP]


def synthesise(
    articulation: Articulation, voice: Voice, rng: np.random.Generator
) -> Float[np.ndarray, "samples 2"]:
    """The sound of `articulation`: 44.1 kHz stereo in [-1, 1], 196 samples a control value.

    Talking has a root mean square of about 0.1 * `voice.loudness`; a silent person leaves the
    room's noise.
    """
    count = len(articulation.pitch) * _HOP
    breath = rng.normal(0, 1, count)
    source = _PULSE_GAIN * _pulses(articulation.pitch, rng) + voice.breathiness * breath
    sound = _shaped(
        source,
        lambda rows: _vowel_filter(articulation.formants[rows], voice.formant_scale),
        articulation.voicing,
    )
    hiss = _shaped(
        breath, lambda rows: _noise_filter(articulation.noise_centre[rows]), articulation.noise
    )
    mono = np.tanh(voice.loudness * (sound + _HISS_GAIN * hiss))
    return np.clip(mono[:, None] + rng.normal(0, _ROOM_NOISE, (count, 2)), -1, 1)
