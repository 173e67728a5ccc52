"""Pictures of a video with their times, upright, one at a time, whatever the container."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from jaxtyping import UInt8

from jaxreact.errors import UserError
from jaxreact.face import FPS


@dataclass(frozen=True)
class Picture:
    """One upright picture and its time in seconds since the beginning of the container."""

    time: float
    rgb: UInt8[np.ndarray, "height width 3"]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """Opens a video; everything that can be wrong with it is a `UserError`."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the path of a video")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(f"{path}: has no pictures; give a video of a talking face")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except FFmpegError as error:
        raise UserError(f"{path}: cannot be read as a video, or is damaged ({error})") from None


def pictures(path: str | Path) -> Iterator[Picture]:
    """Yields the pictures of a video in the order of their times, which strictly increase.

    A rotation stored in the file (phones) is applied. Times come from the container, so a variable
    frame rate is kept as recorded; they agree with `sound.read_native_audio`. Raises
    `UserError` for a missing or damaged file and one without pictures.
    """
    path = Path(path)
    last = -1.0
    with _opened(path) as (container, stream):
        zero = (container.start_time or 0) / av.time_base
        for frame in container.decode(stream):
            if frame.time is None:
                continue
            time = frame.time - zero
            if time <= last:  # a repeated time stamp: the later picture would never be shown
                continue
            last = time
            yield Picture(time, _upright(frame))
    if last < 0:
        raise UserError(f"{path}: no picture could be decoded; record or copy it again")


def count_pictures(path: str | Path) -> int | None:
    """About how many pictures a video holds by its header, None where it does not say."""
    with _opened(Path(path)) as (container, stream):
        if stream.frames:
            return stream.frames
        if container.duration and stream.average_rate:
            return round(container.duration / av.time_base * float(stream.average_rate))
    return None


def _upright(frame: av.VideoFrame) -> np.ndarray:
    quarter_turns = round(frame.rotation / 90)  # counter-clockwise, like rot90
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns))


def steady(
    path: str | Path, count: int, fps: float = FPS
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields `count` pictures at exactly `fps` a second, whatever the video's own rate.

    Picture k is the nearest one to k / `fps` seconds; the last one is repeated where the video ends
    early. Only two pictures are held in memory. Raises `UserError` as `pictures` does.
    """
    number = 0
    shown: Picture | None = None
    for picture in pictures(path):
        while shown is not None and number < count and _nearer(shown, picture, time=number / fps):
            yield shown.rgb
            number += 1
        if number == count:
            return
        shown = picture
    if shown is not None:
        for _ in range(number, count):
            yield shown.rgb


def _nearer(first: Picture, second: Picture, time: float) -> bool:
    return abs(first.time - time) <= abs(second.time - time)
