"""Pictures of a folder of images, a folder of videos or one video, read one at a time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from jaxreact.errors import UserError
from jaxreact.media.image import IMAGES, VIDEOS, read_image
from jaxreact.media.video_reader import count_pictures, read_video


@dataclass(frozen=True)
class PictureFiles:
    """Every so many pictures of each clip; iterating reads them.

    `clips`: one list of files a clip, each a video or the images of one folder in their order.
    """

    path: Path
    clips: tuple[tuple[Path, ...], ...]
    every: int

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """Yields RGB pictures. Raises UserError naming the file that cannot be read."""
        for clip in self.clips:
            if clip[0].suffix.lower() in VIDEOS:
                for number, picture in enumerate(read_video(clip[0])):
                    if number % self.every == 0:
                        yield picture.rgb
            else:
                yield from map(read_image, clip[:: self.every])

    def count(self) -> int | None:
        """How many pictures there will be, by the headers; None where a video does not say."""
        total = 0
        for clip in self.clips:
            video = clip[0].suffix.lower() in VIDEOS
            length = count_pictures(clip[0]) if video else len(clip)
            if length is None:
                return None
            total += -(-length // self.every)
        return total


def find_pictures(path: str | Path, every: int = 1) -> PictureFiles:
    """The images or the videos under `path`, folders inside included, or the one video it is.

    Each video, and the images of each folder, are a clip, of which pictures 0, `every`,
    2 `every`, ... are taken. Files are sorted by the numbers in their names (2.png before 10.png).
    Raises UserError where there is nothing to read, or both images and videos.
    """
    path = Path(path)
    if every < 1:
        raise UserError(f"every {every}: give 1 or more pictures from one to the next")
    if path.is_file():
        if path.suffix.lower() not in VIDEOS:
            raise UserError(f"{path}: give a folder of images or videos, or one video")
        return PictureFiles(path, ((path,),), every)
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder")
    images, videos = _files(path, IMAGES), _files(path, VIDEOS)
    if images and videos:
        raise UserError(f"{path}: holds both images and videos ({images[0]}, {videos[0]})")
    if not images and not videos:
        known = ", ".join(IMAGES + VIDEOS)
        raise UserError(f"{path}: holds no images or videos ({known})")
    folders = groupby(images, key=lambda file: file.parent)
    clips = [tuple(files) for _, files in folders] + [(video,) for video in videos]
    return PictureFiles(path, tuple(clips), every)


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Folder by folder, hidden files left out."""
    files = [
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in suffixes and not file.name.startswith(".") and file.is_file()
    ]
    return sorted(files, key=lambda file: (_numbers(file.parent), _numbers(Path(file.name))))


def _numbers(path: Path) -> list[list[str | int]]:
    """A key that sorts by the numbers in names; text and numbers alternate, so that they
    compare."""
    return [
        [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]
        for name in path.parts
    ]
