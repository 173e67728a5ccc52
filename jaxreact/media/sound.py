"""Sound from any file, as the audio encoder expects it: 16 kHz, mono, float32.

The order of the three steps (cut the segment at the file's own rate, average the channels,
resample) is the original's (behaviour 50) and changes the values near both ends of a segment: the
resampler sees silence, not the neighbouring sound, beyond a cut.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from av.container import InputContainer
from av.error import FFmpegError
from jaxtyping import Float

from jaxreact.errors import NotFiniteError, UserError
from jaxreact.face import FPS

SAMPLE_RATE = 16000
"""Samples per second of everything that `read_audio` returns."""
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
"""640 samples of 16 kHz sound a frame."""

_UNKNOWN_WAV_SIZE = 0x7FFFF000  # programs that write to a pipe put about 2 or 4 GiB as the size
_TRUNCATED_AFTER = 0.1  # seconds; a compressed file's header may miscount by a packet or two
_TIMESTAMP_SLACK = 0.05  # seconds; jitter of a recording's clock, not a hole in the sound


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
    _check_request(path, start, duration)
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:  # not a plain sound file: a video, or nothing at all
        waveform, rate = _read_container(path, start, duration)
    else:
        with file:
            waveform, rate = _read_sound_file(path, file, start, duration)
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


def _check_request(path: Path, start: float, duration: float | None) -> None:
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the path of a sound or video file")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty; record or copy it again")
    if not (math.isfinite(start) and start >= 0):
        raise UserError(f"{path}: start must be 0 or more seconds, not {start}")
    if duration is not None and not (math.isfinite(duration) and duration > 0):
        raise UserError(f"{path}: duration must be more than 0 seconds, not {duration}")


def _read_sound_file(
    path: Path, file: soundfile.SoundFile, start: float, duration: float | None
) -> tuple[np.ndarray, int]:
    """Cuts and averages what libsndfile reads: wav, flac, ogg, mp3 and the like."""
    rate = file.samplerate
    if _wav_is_cut(file.extra_info) or file.frames <= 0:
        raise UserError(f"{path}: the file is truncated or holds no sound; record or copy it again")
    first = int(start * rate)
    if first >= file.frames:
        raise UserError(
            f"{path}: cannot start at {start:g} s, the sound is {file.frames / rate:.2f} s long"
        )
    available = file.frames - first
    asked = available if duration is None else min(int(duration * rate), available)
    try:
        file.seek(first)
        samples = file.read(asked, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path}: the sound is damaged or truncated ({error})") from None
    _check_complete(path, len(samples), asked, rate)
    return samples.mean(axis=1, dtype=np.float32), rate


def _wav_is_cut(log: str) -> bool:
    """Whether libsndfile's log says that the data chunk promises more than the file holds."""
    match = re.search(r"^data : (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    return bool(match) and int(match[2]) < int(match[1]) < _UNKNOWN_WAV_SIZE


def _check_complete(path: Path, got: int, asked: int, rate: int) -> None:
    if (asked - got) / rate > _TRUNCATED_AFTER:
        raise UserError(
            f"{path}: truncated: {got / rate:.2f} s of sound could be read where the file "
            f"promises {asked / rate:.2f} s; copy it again"
        )


def _read_container(path: Path, start: float, duration: float | None) -> tuple[np.ndarray, int]:
    """Cuts and averages the first sound track of a video (or m4a, ...) with PyAV."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UserError(f"{path}: has no sound track")
            stream = container.streams.audio[0]
            rate = stream.rate
            first = int(start * rate)
            end = None if duration is None else first + int(duration * rate)
            blocks = list(_mono_blocks(container, stream, end))
            promised = _promised_samples(container, stream)
    except FFmpegError as error:
        raise UserError(
            f"{path}: cannot be read as sound or video, or is damaged ({error.strerror})"
        ) from None
    waveform = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if not waveform.size:
        raise UserError(f"{path}: the sound track is empty")
    if first >= len(waveform):
        raise UserError(
            f"{path}: cannot start at {start:g} s, the sound is {len(waveform) / rate:.2f} s long"
        )
    if promised is not None:
        asked = promised if end is None else min(end, promised)
        _check_complete(path, len(waveform), asked, rate)
    return waveform[first:end], rate


def _mono_blocks(
    container: InputContainer, stream: av.AudioStream, end: int | None
) -> Iterator[np.ndarray]:
    """Decodes to mono from time zero until `end` samples, with zeros where the clock has a hole."""
    to_float = av.AudioResampler(format="fltp")  # changes the sample format only
    zero = (container.start_time or 0) / av.time_base
    position = 0
    for frame in container.decode(stream):
        if end is not None and position >= end:
            return
        if frame.time is not None:
            hole = round((frame.time - zero) * stream.rate) - position
            if hole > _TIMESTAMP_SLACK * stream.rate:
                yield np.zeros(hole, np.float32)
                position += hole
        for converted in to_float.resample(frame):
            block = converted.to_ndarray().mean(axis=0, dtype=np.float32)
            yield block
            position += len(block)


def _promised_samples(container: InputContainer, stream: av.AudioStream) -> int | None:
    """Samples from time zero to the end of the track by the header, None where it does not say."""
    if stream.duration is None or stream.time_base is None:
        return None
    begin = float((stream.start_time or 0) * stream.time_base)
    zero = (container.start_time or 0) / av.time_base
    return int((begin - zero + float(stream.duration * stream.time_base)) * stream.rate)
