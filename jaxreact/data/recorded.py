"""A person's recorded face in a data set: a folder of frames, or a film."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from jaxreact.data.layout import frame_files
from jaxreact.errors import UserError
from jaxreact.media.image import read_image
from jaxreact.media.video_reader import steady


def recorded_frames(source: Path, count: int) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields the first `count` frames of a recording, 25 a second, as `layout.video_source` names
    it.

    A folder's images are frames by their numbers. A recording that ends a little early (data sets
    differ by a frame) repeats its last frame. Raises `UserError` naming a file that cannot be read.
    """
    if not source.is_dir():
        yield from steady(source, count)
        return
    frame = None
    shown = 0
    for file in islice(frame_files(source), count):
        frame = read_image(file)
        shown += 1
        yield frame
    if frame is None:
        raise UserError(f"{source}: holds no frames <n>.png or <n>.jpg")
    for _ in range(shown, count):
        yield frame


def recorded_at(
    source: Path, numbers: Sequence[int]
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields frames of a recording by their numbers, which increase; of a folder no others are
    read. All else is as in `recorded_frames`."""
    if not numbers:
        return
    if source.is_dir() and (files := frame_files(source)):
        yield from (read_image(files[min(number, len(files) - 1)]) for number in numbers)
        return
    asked_for = set(numbers)
    for number, frame in enumerate(recorded_frames(source, numbers[-1] + 1)):
        if number in asked_for:
            yield frame


def resized(
    picture: UInt8[np.ndarray, "tall wide 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "height width 3"]:
    """The whole picture in another size, with antialiasing where it becomes smaller."""
    if picture.shape[:2] == size:
        return picture
    height, width = size
    image = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)


def frame_addresses(source: Path, numbers: Sequence[int]) -> list[str]:
    """The files of frames of a folder by their numbers; of a film, the film itself."""
    if not source.is_dir():
        return [str(source)]
    files = frame_files(source)
    return [str(files[min(number, len(files) - 1)]) for number in numbers]
