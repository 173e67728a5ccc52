"""Pictures of a film with their times, as a player shows them, one at a time."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from jaxtyping import UInt8

from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.media.container import (
    film_stream,
    open_container,
    reason,
    sound_stream,
    undecodable,
)
from jaxreact.media.decoding import Decoding
from jaxreact.media.display import displayed
from jaxreact.media.interlacing import deinterlaced


@dataclass(frozen=True)
class Picture:
    """One picture: upright, not mirrored, with square pixels, in the colours of a screen.

    time: seconds since the beginning of the film.
    duration: seconds until the next picture, or that the last one stays.
    """

    time: float
    rgb: UInt8[np.ndarray, "height width 3"]
    duration: float


def read_video(path: str | Path, duration: float = math.inf) -> Iterator[Picture]:
    """Yields the pictures of a film in the order of their times, which strictly increase.

    Of several streams it is the one that a player shows. Times come from the container, so a
    variable frame rate is kept as recorded; they agree with `sound.read_native_audio`. Only
    pictures that begin before `duration` seconds are read.

    A film that is damaged in places, cut off a little before its end, or whose clock jumps, is read
    on, with a `Remark`. Raises `UserError` for a file that is missing, no film, without pictures
    that can be decoded, or of which more than a tenth is lost.
    """
    path = Path(path)
    with _opened(path) as (container, stream):
        decoding = Decoding(path, container, stream, _sound_of(container), "pictures")
        held: tuple[_Mark, av.VideoFrame] | None = None
        step = _usual_step(stream)
        for mark, frame in deinterlaced(_shown(decoding, stream, step, duration)):
            if held is not None:
                step = mark.time - held[0].time
                yield _picture(path, *held, step)
            held = mark, frame
            if mark.time >= duration:
                return
        if held is None:
            raise UserError(f"{path}: no picture could be decoded; record or copy it again")
        yield _picture(path, *held, held[0].stays if held[0].stays > 0 else step)


def count_pictures(path: str | Path) -> int | None:
    """About how many pictures a film holds by its header, None where it does not say."""
    with _opened(Path(path)) as (container, stream):
        if stream.frames:
            return stream.frames
        if container.duration and stream.average_rate:
            return round(container.duration / av.time_base * float(stream.average_rate))
    return None


def length_by_header(path: str | Path) -> float | None:
    """About how many seconds a film's pictures last by its header, None where it does not say."""
    with _opened(Path(path)) as (container, stream):
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        return container.duration / av.time_base if container.duration else None


def rate_by_header(path: str | Path) -> float | None:
    """How many pictures a second a film has by its header, None where it does not say."""
    with _opened(Path(path)) as (_, stream):
        return None if stream.average_rate is None else float(stream.average_rate)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    with open_container(path) as container:
        stream = film_stream(container)
        if stream is None:
            if container.streams.video:
                codecs = undecodable(path, container.streams.video)
                raise UserError(f"{path}: no decoder for its pictures ({codecs}); convert it first")
            raise UserError(f"{path}: has no pictures; give a video of a talking face")
        stream.thread_type = "AUTO"
        yield container, stream


def _sound_of(container: InputContainer) -> list[av.AudioStream]:
    sound = sound_stream(container)
    return [] if sound is None else [sound]


def _usual_step(stream: av.VideoStream) -> float:
    return 1 / float(stream.average_rate or FPS)


class _Mark(NamedTuple):
    """What is known of a frame besides.

    time: when it is shown (s); stays: for how long by its own account (s), 0 where it says nothing.
    pixel_shape: the width of a stored pixel over its height.
    """

    time: float
    stays: float
    pixel_shape: Fraction | None


def _shown(
    decoding: Decoding, stream: av.VideoStream, step: float, until: float
) -> Iterator[tuple[_Mark, av.VideoFrame]]:
    """Frames that are shown, at increasing times: one without a time follows the one before."""
    last = -math.inf
    shown: tuple[_Mark, av.VideoFrame] | None = None
    shapes = _PixelShapes(stream)
    for frame, told in decoding.frames(until):
        time = told if told is not None else max(last, -step) + step
        if shown is not None:
            for again in _stays(decoding, last, time):
                last = again
                yield shown[0]._replace(time=again), shown[1]
        if time < -step / 2 or time <= last:
            continue  # before the beginning (an edit list's), or replaced before it is ever shown
        last = time
        stays = float((frame.duration or 0) * (frame.time_base or 0))
        shown = _Mark(max(time, 0.0), stays, shapes.now()), frame
        yield shown
    if shown is not None:
        for again in _stays(decoding, last, until):
            yield shown[0]._replace(time=again), shown[1]


class _PixelShapes:
    """The shape of pixels, which may change within a film (broadcasts between programmes).

    The container's word goes before the codec's, unless they agreed in the beginning: then it is
    the codec's that is kept up to date.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self._stream = stream
        self._first: Fraction | None = None

    def now(self) -> Fraction | None:
        """That of the frame just decoded, None where nothing is said."""
        told = _fraction(self._stream.sample_aspect_ratio)
        coded = _fraction(self._stream.codec_context.sample_aspect_ratio)
        self._first = self._first or coded
        return coded if self._first == told else told


def _fraction(shape: Any) -> Fraction | None:
    """As the standard library's: PyAV's is of a type of its own from version 19 on."""
    return Fraction(shape.numerator, shape.denominator) if shape else None


def _stays(decoding: Decoding, last: float, until: float) -> Iterator[float]:
    """Times between `last` and `until` at which the file says that the picture stays."""
    while decoding.unchanged and decoding.unchanged[0] < until:
        if (time := decoding.unchanged.popleft()) > last:
            yield time


def _picture(path: Path, mark: _Mark, frame: av.VideoFrame, step: float) -> Picture:
    try:
        return Picture(mark.time, displayed(frame, mark.pixel_shape), step)
    except FFmpegError as error:
        raise UserError(
            f"{path}: the picture at {mark.time:.2f} s cannot be shown ({reason(error)})"
        ) from error


def steady(
    path: str | Path, count: int, fps: float = FPS
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields `count` pictures at exactly `fps` a second, whatever the film's own rate.

    Picture k is the nearest one to k / `fps` seconds; the last one is repeated where the film ends
    early. Only two pictures are held in memory. Raises `UserError` as `read_video` does.
    """
    number = 0
    shown: Picture | None = None
    for picture in read_video(path, duration=count / fps + 1):
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
