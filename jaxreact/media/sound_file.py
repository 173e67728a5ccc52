"""Sound files that libsndfile reads: wav, flac, ogg, mp3 and the like."""

import re
import warnings
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jaxreact.errors import Remark, UserError
from jaxreact.media.channels import mixed
from jaxreact.media.damage import report_end
from jaxreact.media.sound_track import read_sound_track

_UNKNOWN_SIZE = 0x7F000000  # programs that write to a pipe put about 2 or 4 GiB as the size
_SIZE = re.compile(
    r"^\s*(?:data|SSND|BODY|Data Size|riff) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
_FRAMES = re.compile(r"^\s*Frames *: (\d+)$", re.MULTILINE)
_CUT_OFF = re.compile("page lacks an end-of-stream bit|truncated file")
"""What libsndfile's log says of formats that do not tell how long they are (ogg, voc)."""


def read_sound_file(
    path: Path, file: soundfile.SoundFile, start: float, duration: float | None
) -> tuple[Float[np.ndarray, "samples"], int]:
    """A segment as mono samples, and how many a second. Times are in seconds.

    Raises `UserError` for a start beyond the end, and where more than a tenth of what is asked for
    is damaged or missing.
    """
    rate = file.samplerate
    if file.frames <= 0 or rate <= 0:
        return _without_a_length(path, start, duration)
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
    end = (first + len(samples)) / rate
    report_end(path, "sound", end, (first + asked) / rate)
    if first + len(samples) == file.frames and _CUT_OFF.search(file.extra_info):
        line = f"{path}: is cut off or was never finished; its sound ends after {end:.2f} s"
        warnings.warn(line, Remark, stacklevel=2)
    return mixed(path, samples.T), rate


def _without_a_length(
    path: Path, start: float, duration: float | None
) -> tuple[Float[np.ndarray, "samples"], int]:
    """Of a recording whose program ended before it wrote the length, FFmpeg reads all there is."""
    try:
        waveform, rate = read_sound_track(path, start, duration)
    except UserError:
        waveform, rate = np.zeros(0, np.float32), 1
    if not waveform.size:
        raise UserError(f"{path}: the file is truncated or holds no sound; record or copy it again")
    line = f"{path}: was never finished: its header says that it is empty; what follows it is read"
    warnings.warn(line, Remark, stacklevel=2)
    return waveform, rate


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
    """Samples of each channel that the header promises, 0 where it does not say.

    libsndfile believes the size of the file, and tells the difference in its log only.
    """
    size, frames = _SIZE.search(file.extra_info), _FRAMES.search(file.extra_info)
    promised = int(frames[1]) if frames else 0
    # Where there is no other number, how many bytes lack says how many samples do.
    if not promised and size and int(size[2]) < int(size[1]) < _UNKNOWN_SIZE:
        promised = round(file.frames * int(size[1]) / max(int(size[2]), 1))
    width = _BYTES.get(file.subtype, 1) * file.channels
    return promised if promised * width < _UNKNOWN_SIZE else 0


_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Of a sample; of others no more than one."""
