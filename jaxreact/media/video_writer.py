"""Pictures and sound to an mp4 that every player opens: H.264 and AAC, without a system ffmpeg."""

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from jaxtyping import Float, UInt8

from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.files import replacing

Waveform = Float[np.ndarray, "_ *channels"]
"""In [-1, 1], (samples,) or (samples, 2)."""

Sound = tuple[Waveform, int]
"""A waveform and its rate in Hz."""

SoundInParts = tuple[Iterator[Waveform], int]
"""The same of one that comes a little at a time."""

AnySound = Sound | SoundInParts | None

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


class Film:
    """An mp4 that is open for frames; made by `open_film`."""

    def __init__(self, container: OutputContainer, fps: int, audio: AnySound) -> None:
        self._container, self._fps = container, fps
        self._sound = None if audio is None else _parts(audio[0])
        self._rate = 0 if audio is None else audio[1]
        self._stream: VideoStream | None = None
        self._voice: _Voice | None = None
        self._shape: tuple[int, ...] = ()
        self.count = 0
        """Frames so far."""

    def add(self, frame: UInt8[np.ndarray, "height width 3"]) -> None:
        """Encodes one RGB frame, and the sound that belongs to it.

        Raises `UserError` for a frame of a wrong shape, or of another than the first one's.
        """
        self._check(frame)
        if self._stream is None:
            self._shape = frame.shape
            self._stream = _video_stream(self._container, frame, self._fps)
            if self._sound is not None:
                self._voice = _Voice(self._container, self._sound, self._rate)
        self._container.mux(self._stream.encode(_picture(frame)))
        self.count += 1
        if self._voice:
            self._voice.advance(round(self.count * self._rate / self._fps))

    def finish(self) -> None:
        """Encodes what is still held back. Raises `UserError` where no frame was added."""
        if self._stream is None:
            raise UserError("there is no frame to write")
        self._container.mux(self._stream.encode(None))
        if self._voice:
            self._voice.finish()

    def _check(self, frame: np.ndarray) -> None:
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            given = f"{frame.dtype} {frame.shape}"
            raise UserError(f"frame {self.count}: expected uint8 (height, width, 3), got {given}")
        if self._shape and frame.shape != self._shape:
            raise UserError(
                f"frame {self.count}: shape {frame.shape} differs from frame 0's {self._shape}"
            )


@contextmanager
def open_film(path: str | Path, fps: int = FPS, audio: AnySound = None) -> Iterator[Film]:
    """Yields a film that becomes the mp4 at `path` when the block ends well.

    Frames are taken one at a time, and sound that comes a little at a time when it is due, so that
    memory does not grow; sound is cut where the pictures end. H.264 needs even sides: an odd one is
    lengthened by a repeated pixel. An existing file is replaced only on success. Raises `UserError`
    as `Film` does, naming the file, and for sound that is empty, not finite or neither mono nor
    stereo.
    """
    with replacing(path) as temporary, _open(temporary) as container:
        film = Film(container, fps, audio)
        yield film
        try:
            film.finish()
        except UserError as error:
            raise UserError(f"{path}: {error}") from None


def write_video(
    path: str | Path,
    frames: Iterable[UInt8[np.ndarray, "height width 3"]],
    fps: int = FPS,
    audio: AnySound = None,
) -> int:
    """Writes RGB frames and optional sound to `path` (mp4) and returns the number of frames.

    All else is as in `open_film`.
    """
    with open_film(path, fps, audio) as film:
        for frame in frames:
            film.add(frame)
    return film.count


def write_sound(file: BinaryIO | io.BytesIO, audio: Sound) -> None:
    """Writes sound alone to an open file, as AAC in an mp4.

    Raises `UserError` for sound that is empty, not finite or neither mono nor stereo.
    """
    parts, rate = _parts(audio[0]), audio[1]
    with av.open(file, "w", format="mp4") as container:
        voice = _Voice(container, parts, rate)
        while voice.advance(voice.done + rate):
            pass
        voice.finish()


def _open(path: Path) -> OutputContainer:
    # faststart puts the index first, so that a browser plays before it has the whole file.
    # FFmpeg takes what stands before a colon in a relative name for a protocol.
    return av.open(os.path.abspath(path), "w", format="mp4", options={"movflags": "faststart"})


def _picture(frame: np.ndarray) -> av.VideoFrame:
    height, width = frame.shape[:2]
    even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return av.VideoFrame.from_ndarray(even, format="rgb24")


def _video_stream(container: OutputContainer, frame: np.ndarray, fps: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "veryfast"})
    stream.height, stream.width = (side + side % 2 for side in frame.shape[:2])
    stream.pix_fmt = "yuv420p"
    return stream


def _planar(waveform: np.ndarray) -> Float[np.ndarray, "channels samples"]:
    waveform = np.asarray(waveform, np.float32)
    channels = waveform[:, None] if waveform.ndim == 1 else waveform
    if channels.ndim != 2 or channels.shape[1] not in (1, 2) or not len(channels):
        raise UserError(f"audio: expected (samples,) or (samples, 2), got {waveform.shape}")
    if not np.isfinite(channels).all():
        raise UserError("audio: the waveform holds a value that is not finite")
    return np.ascontiguousarray(channels.T)


def _parts(waveform: Waveform | Iterator[Waveform]) -> Iterator[Float[np.ndarray, "channels _"]]:
    """What is given at once is looked at at once."""
    return (
        iter((_planar(waveform),)) if isinstance(waveform, np.ndarray) else map(_planar, waveform)
    )


class _Voice:
    """The sound track, encoded as far as the pictures have come."""

    def __init__(self, container: OutputContainer, parts: Iterator[np.ndarray], rate: int) -> None:
        self._container, self._parts, self._rate = container, parts, rate
        first = next(parts, None)
        if first is None:
            raise UserError("audio: holds no samples")
        self._rest: np.ndarray = first
        self.done = 0
        """Samples so far."""
        layout = "stereo" if len(first) == 2 else "mono"
        target = rate if rate in AAC_RATES else 48000
        self._stream: AudioStream = container.add_stream("aac", rate=target, layout=layout)
        self._resampler = av.AudioResampler("fltp", layout, target)

    def advance(self, until: int) -> int:
        """Encodes up to sample `until`, or to the end of the sound; how many these were."""
        block = self._taken(until - self.done)
        if not block.shape[1]:
            return 0
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block), format="fltp", layout=self._stream.layout.name
        )
        frame.sample_rate, frame.pts = self._rate, self.done
        frame.time_base = Fraction(1, self._rate)
        self.done += block.shape[1]
        for ready in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(ready))
        return block.shape[1]

    def _taken(self, count: int) -> np.ndarray:
        """The next samples, fewer at the end."""
        while self._rest.shape[1] < count and (more := next(self._parts, None)) is not None:
            self._rest = np.concatenate([self._rest, more], axis=1)
        taken, self._rest = self._rest[:, :count], self._rest[:, count:]
        return taken

    def finish(self) -> None:
        """Encodes what the resampler and the encoder still hold."""
        for ready in self._resampler.resample(None):
            self._container.mux(self._stream.encode(ready))
        self._container.mux(self._stream.encode(None))
