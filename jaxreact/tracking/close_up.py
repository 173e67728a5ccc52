"""A face too small for MediaPipe's detector, found in parts of the picture."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxreact.tracking.box import Box, can_be
from jaxreact.tracking.face_detector import FaceDetector
from jaxreact.tracking.spaced import spaced_pictures
from jaxreact.tracking.view import QuarterTurn, View, turned

SMALLEST_PART = 128
"""Parts have at least so many pixels a side: the detector sees no more of a picture."""

MARGIN = 6
"""Side of the part that is followed, in faces: the detector needs less than eight."""

SURE = 0.75
"""Least score of a face in a part: a face has 0.84 to 0.97 there, other things up to 0.62."""

SPACING, WITHIN = 0.5, 2.0
"""Pictures that are searched: how many seconds apart, and how far into the video."""


def find_close_up(path: str | Path, detector: FaceDetector, turn: QuarterTurn) -> View | None:
    """The part of a video's pictures around a small face, None where there is none.

    Searches overlapping squares of a half, a quarter and an eighth of the picture in some pictures
    of its beginning; a face counts that is in most of them, at one place. Raises `UserError` as
    `pictures` does.
    """
    found: list[list[Box]] = []
    height = width = 1
    for rgb in spaced_pictures(path, SPACING, WITHIN):
        upright = turned(rgb, turn)
        height, width = upright.shape[:2]
        found.append(_search(upright, detector))
    steady = [box for faces in found for box in faces if _seen_in(box, found) > len(found) / 2]
    if not steady:
        return None
    largest = max(steady, key=lambda box: box.side)
    side = min(round(MARGIN * largest.side), height, width)
    left = int(np.clip(round(largest.x - side / 2), 0, width - side))
    top = int(np.clip(round(largest.y - side / 2), 0, height - side))
    return View(turn, (left, top, side))


def _seen_in(box: Box, found: list[list[Box]]) -> int:
    """In how many pictures a face is at about that place."""
    return sum(any(can_be(box, other, SPACING) for other in faces) for faces in found)


def _search(rgb: np.ndarray, detector: FaceDetector) -> list[Box]:
    """The most likely face of a picture's parts, of the largest parts that show one."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    while side >= SMALLEST_PART:
        faces = [
            (face.score, Box(face.box.x + left, face.box.y + top, face.box.side))
            for left, top in _corners(width, height, side)
            for face in detector.faces(rgb[top : top + side, left : left + side])
            if face.score >= SURE
        ]
        if faces:
            return [box for _, box in faces]
        side //= 2
    return []


def _corners(width: int, height: int, side: int) -> Iterator[tuple[int, int]]:
    """Left upper corners of squares that overlap by a half and cover the picture."""
    columns = np.linspace(0, width - side, 1 + -(-2 * (width - side) // side)).round()
    rows = np.linspace(0, height - side, 1 + -(-2 * (height - side) // side)).round()
    return ((int(left), int(top)) for top in rows for left in columns)
