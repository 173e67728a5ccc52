"""Sound from any file, as the audio encoder expects it: 16 kHz, mono, float32.

The order of the three steps (cut the segment at the file's own rate, average the channels,
resample) is the original's (behaviour 50) and changes the values near both ends of a segment: the
resampler sees silence, not the neighbouring sound, beyond a cut.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from jaxtyping import Float

from jaxreact.errors import NotFiniteError, UserError
from jaxreact.face import FPS
from jaxreact.media.sound_file import read_sound_file
from jaxreact.media.sound_track import read_sound_track

SAMPLE_RATE = 16000
"""Samples per second of everything that `read_audio` returns."""
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
"""640 samples of 16 kHz sound a frame."""


def read_audio(
    path: str | Path, start: float = 0.0, duration: float | None = None
) -> Float[np.ndarray, "samples"]:
    """Reads a segment of a sound or video file as (n,) float32 in about [-1, 1], 16 kHz, mono.

    `start` and `duration` are in seconds; `duration=None` reads to the end. A file that ends early
    gives a shorter array, as in the original (behaviour 50); `n` is otherwise
    `ceil(int(duration * rate) * 16000 / rate)` for a file of `rate` samples a second. Silence is
    returned as it is. Raises `UserError` for a missing, empty, damaged or truncated file, one
    without a sound track or with values that are not finite, and a start beyond the end.
    """
    waveform, rate = read_native_audio(path, start, duration)
    return resample(waveform, rate)


def read_native_audio(
    path: str | Path, start: float = 0.0, duration: float | None = None
) -> tuple[Float[np.ndarray, "samples"], int]:
    """Reads like `read_audio`, but at the file's own rate: (mono waveform, samples a second).

    In a video, time zero is that of the container: a sound track that starts after the picture is
    preceded by zeros, so sound and picture stay together.
    """
    path = Path(path)
    check_request(path, start, duration)
    name: Any = os.fsencode(path) if os.name == "posix" else path  # which need not be UTF-8
    try:
        file = soundfile.SoundFile(name)
    except soundfile.LibsndfileError:  # not a plain sound file: a video, or nothing at all
        waveform, rate = read_sound_track(path, start, duration)
    else:
        with file:
            waveform, rate = read_sound_file(path, file, start, duration)
    if waveform.size == 0:
        raise UserError(f"{path}: no sound at or after {start:g} s; ask for an earlier start")
    if not np.isfinite(waveform).all():
        raise NotFiniteError(
            f"{path}: contains samples that are not finite; export the sound again"
        )
    return waveform, rate


def resample(
    waveform: Float[np.ndarray, "samples"], rate: int, target: int = SAMPLE_RATE
) -> Float[np.ndarray, "resampled"]:
    """Resamples (n,) float32 from `rate` to `target` Hz at soxr's HQ setting.

    The result has `ceil(n * target / rate)` samples, cut or zero-padded to that as librosa does.
    """
    if rate == target:
        return waveform
    length = math.ceil(len(waveform) * (float(target) / rate))
    resampled = soxr.resample(waveform, rate, target, quality="HQ")[:length]
    return np.pad(resampled, (0, length - len(resampled)))


def check_request(path: Path, start: float, duration: float | None) -> None:
    """Raises `UserError` for a missing or empty file, and for times that are none."""
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such file; give the path of a sound or video file")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty; record or copy it again")
    if not (math.isfinite(start) and start >= 0):
        raise UserError(f"{path}: start must be 0 or more seconds, not {start}")
    if duration is not None and not (math.isfinite(duration) and duration > 0):
        raise UserError(f"{path}: duration must be more than 0 seconds, not {duration}")
