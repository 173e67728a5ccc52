"""Several panels in one picture, each with its name."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

Frames = Iterable[UInt8[np.ndarray, "height width 3"]]
"""RGB pictures of any size."""


def side_by_side(
    panels: Sequence[Frames], labels: Sequence[str], size: int
) -> Iterator[UInt8[np.ndarray, "size width 3"]]:
    """Yields pictures that show one frame of every panel from left to right, `size` square each.

    Frames of another shape are letterboxed. A label is drawn in its panel's lower left corner; an
    empty one is not. Ends with the shortest panel.
    """
    tags = [_tag(label, size) for label in labels]
    for frames in zip(*panels, strict=False):
        squares = [letterbox(frame, size) for frame in frames]
        for square, tag in zip(squares, tags, strict=True):
            _stamp(square, tag)
        yield np.concatenate(squares, axis=1)


def letterbox(
    frame: UInt8[np.ndarray, "height width 3"], size: int
) -> UInt8[np.ndarray, "size size 3"]:
    """A copy of the picture scaled to fit into a black square of `size` pixels, centred."""
    height, width = frame.shape[:2]
    if (height, width) == (size, size):
        return frame.copy()
    scale = size / max(height, width)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    small = Image.fromarray(frame).resize((wide, high), Image.Resampling.LANCZOS)
    square = np.zeros((size, size, 3), np.uint8)
    top, left = (size - high) // 2, (size - wide) // 2
    square[top : top + high, left : left + wide] = np.asarray(small)
    return square


def _tag(text: str, size: int) -> Float[np.ndarray, "high wide 1"] | None:
    """The ink of a label, 0..1, in letters that suit a panel of this size; None for no text."""
    if not text:
        return None
    font = ImageFont.load_default(max(9, size / 18))
    left, top, right, bottom = font.getbbox(text)
    pad = max(2, size // 64)
    box = (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad)
    picture = Image.new("L", box)
    ImageDraw.Draw(picture).text((pad - left, pad - top), text, fill=255, font=font)
    return np.asarray(picture, np.float32)[..., None] / 255


def _stamp(square: UInt8[np.ndarray, "size size 3"], ink: np.ndarray | None) -> None:
    """Darkens the lower left corner of a picture, in place, and writes a label on it in white."""
    if ink is None:
        return
    margin = max(2, len(square) // 40)
    high, wide = min(len(ink), len(square) - margin), min(ink.shape[1], len(square) - margin)
    corner = square[-margin - high : -margin, margin : margin + wide]
    ink = ink[:high, :wide]
    corner[:] = (corner * 0.55 * (1 - ink) + 255 * ink).astype(np.uint8)
