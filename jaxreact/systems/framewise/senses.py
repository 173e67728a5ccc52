"""The speaker's sound as the model hears it: how loud each band is in each video frame."""

import numpy as np
from jaxtyping import Float

from jaxreact.audio_features.mel import BANDS as MEL_BANDS
from jaxreact.audio_features.mel import mel_features
from jaxreact.media.sound import SAMPLES_PER_FRAME

BANDS = 32
STEPS = 4
"""Steps of mel in a video frame."""
_FLOOR = 1e-6
"""Of the power, about -60 dB of speech; what is below is silence."""


def heard(
    waveform: Float[np.ndarray, "*batch samples"], frames: int | None = None
) -> Float[np.ndarray, "*batch frames 32"]:
    """(*batch, frames, 32), about [-1.5, 2]: decimal logarithms of the power in neighbouring mel
    bands of the first frames of 16 kHz sound, by default of all whole ones; too short, it goes on
    silent.

    A frame hears its own 40 ms and the 15 ms before, nothing later and nothing of how loud the rest
    of the clip is, so that a stream hears the same.
    """
    whole = waveform.shape[-1] // SAMPLES_PER_FRAME
    steps = STEPS * (whole if frames is None else frames)
    return loudness(mel_features(np.asarray(waveform), steps))


def loudness(mel: Float[np.ndarray, "*batch steps 128"]) -> Float[np.ndarray, "..."]:
    """(*batch, steps / 4, 32): as `heard`, of steps of mel bands."""
    grouped = mel.reshape(*mel.shape[:-2], -1, STEPS, BANDS, MEL_BANDS // BANDS)
    power = grouped.mean(axis=(-3, -1))
    return (np.log10(power + _FLOOR) / 2 + 1.5).astype(np.float32)
