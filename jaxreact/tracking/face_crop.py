"""The part of a video that shows the face."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from jaxreact.media.video_reader import steady
from jaxreact.tracking.view import QuarterTurn, turned


def face_frames(
    path: str | Path,
    count: int,
    centre: tuple[float, float],
    size: int = 256,
    turn: QuarterTurn = 0,
) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
    """Yields `count` pictures at exactly 25 a second: the largest square around the face, resized.

    The pictures are turned by `turn` degrees clockwise first. `centre` is the face's (x, y) as
    fractions of the turned picture, as in `Track.centre`; the square is moved inwards where it
    would leave the picture. Times and errors are those of `steady`.
    """
    return (_square(turned(picture, turn), centre, size) for picture in steady(path, count))


def _square(rgb: np.ndarray, centre: tuple[float, float], size: int) -> np.ndarray:
    height, width = rgb.shape[:2]
    side = min(height, width)
    left = int(np.clip(round(centre[0] * width - side / 2), 0, width - side))
    top = int(np.clip(round(centre[1] * height - side / 2), 0, height - side))
    crop = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    frame = av.VideoFrame.from_ndarray(crop, format="rgb24")
    return frame.reformat(width=size, height=size, interpolation="AREA").to_ndarray()
