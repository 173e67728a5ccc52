"""A decoded frame as a player shows it: upright, not mirrored, with square pixels, in sRGB."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import Colorspace
from jaxtyping import UInt8

from jaxreact.media.colour import conversion

_SQUARE = Fraction(1, 10), Fraction(10)
"""Shapes of pixels that are believed; a header that says more is damaged."""


def displayed(
    frame: av.VideoFrame, pixel_shape: Fraction | None
) -> UInt8[np.ndarray, "height width 3"]:
    """The frame as RGB. `pixel_shape` is the width of a stored pixel over its height."""
    width, height = square_size(frame.width, frame.height, pixel_shape)
    space = matrix_coefficients(frame)
    convert = conversion(frame.color_trc, frame.color_primaries)
    if convert is None:
        rgb = frame.reformat(width, height, "rgb24", src_colorspace=space).to_ndarray()
    else:
        rgb = convert(frame.reformat(width, height, "rgb48le", src_colorspace=space))
    return np.ascontiguousarray(_turned(rgb, display_matrix(frame)))


def square_size(width: int, height: int, pixel_shape: Fraction | None) -> tuple[int, int]:
    """Width and height with square pixels; the short side of a pixel is drawn out."""
    if not pixel_shape or not _SQUARE[0] <= pixel_shape <= _SQUARE[1]:
        return width, height
    if pixel_shape >= 1:
        return round(width * pixel_shape), height
    return width, round(height / pixel_shape)


def matrix_coefficients(frame: av.VideoFrame) -> int:
    """How colours were made luma and chroma; where nothing is said, by size as players guess it."""
    if frame.colorspace in set(Colorspace):
        return frame.colorspace
    is_large = frame.width >= 1280 or frame.height > 576
    return Colorspace.ITU709 if is_large else Colorspace.ITU601


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of the container's display matrix: x' = a x + c y, y' = b x + d y."""
    side_data: Any = frame.side_data  # typed as if its keys were strings
    data = side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).tolist()
    return a, b, c, d


def _turned(rgb: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Turned and mirrored; a matrix of another angle counts as the nearest of the eight."""
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        is_mirrored, is_upside_down = a < 0, d < 0
    else:
        rgb = rgb.swapaxes(0, 1)
        is_mirrored, is_upside_down = c < 0, b < 0
    rgb = rgb[:, ::-1] if is_mirrored else rgb
    return rgb[::-1] if is_upside_down else rgb
