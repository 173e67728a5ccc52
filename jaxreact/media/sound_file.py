"""Sound files that libsndfile reads: wav, flac, ogg, mp3 and the like."""

import re
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.media.channels import mixed
from jaxreact.media.damage import report_end
from jaxreact.media.sound_track import read_sound_track

_UNKNOWN_WAV_SIZE = 0x7FFFF000  # programs that write to a pipe put about 2 or 4 GiB as the size


def read_sound_file(
    path: Path, file: soundfile.SoundFile, start: float, duration: float | None
) -> tuple[Float[np.ndarray, "samples"], int]:
    """A segment as mono samples, and how many a second. Times are in seconds.

    Raises `UserError` for a start beyond the end, and where more than a tenth of what is asked for
    is damaged or missing.
    """
    rate = file.samplerate
    if file.frames <= 0 or rate <= 0:
        raise UserError(f"{path}: the file is truncated or holds no sound; record or copy it again")
    first = int(start * rate)
    promised = max(_promised(file), file.frames)
    if first >= file.frames:
        raise UserError(
            f"{path}: cannot start at {start:g} s, the sound is {file.frames / rate:.2f} s long"
        )
    asked = promised - first if duration is None else min(int(duration * rate), promised - first)
    available = min(asked, file.frames - first)
    samples = _decoded(file, first, available)
    if len(samples) < available:  # libsndfile stops at damage, or goes on as if nothing lacked
        try:
            waveform, found = read_sound_track(path, start, duration)
        except UserError:
            raise UserError(f"{path}: the sound is damaged or truncated") from None
        report_end(path, "sound", start + len(waveform) / found, (first + asked) / rate)
        return waveform, found
    report_end(path, "sound", (first + len(samples)) / rate, (first + asked) / rate)
    return mixed(path, samples.T), rate


def _decoded(file: soundfile.SoundFile, first: int, count: int) -> np.ndarray:
    """Samples, fewer than asked for where the file is damaged."""
    try:
        if first and file.seekable():
            file.seek(first)
            first = 0
        # GSM 6.10 and some kinds of ADPCM can only be read from the beginning.
        return file.read(first + count, dtype="float32", always_2d=True)[first:]
    except soundfile.LibsndfileError:
        return np.zeros((0, file.channels), np.float32)


def _promised(file: soundfile.SoundFile) -> int:
    """Samples of each channel that a wav's header promises, 0 where it does not say.

    libsndfile believes the size of the file, and tells the difference in its log only.
    """
    match = re.search(r"^data : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if not match or not int(match[2]) < int(match[1]) < _UNKNOWN_WAV_SIZE:
        return 0
    return round(file.frames * int(match[1]) / max(int(match[2]), 1))
