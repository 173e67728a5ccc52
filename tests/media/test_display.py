"""Frames as a player shows them: all eight ways to hold a phone, and pixels that are not square."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from jaxreact.media.display import displayed, square_size
from jaxreact.media.video_reader import read_video
from tests.clips import turn_header, write_clip

BRIGHT, GREY, DARK = 250, 125, 0


def _quarters(rgb: np.ndarray) -> str:
    height, width = rgb.shape[0] // 2, rgb.shape[1] // 2
    parts = rgb[:height, :width], rgb[:height, width:], rgb[height:, :width], rgb[height:, width:]
    return "".join("W" if p.mean() > 190 else "g" if p.mean() > 60 else "." for p in parts)


@pytest.mark.parametrize(
    ("matrix", "expected", "shape"),
    [
        ((1, 0, 0, 1), "Wg..", (48, 64)),
        ((-1, 0, 0, 1), "gW..", (48, 64)),
        ((1, 0, 0, -1), "..Wg", (48, 64)),
        ((-1, 0, 0, -1), "..gW", (48, 64)),
        ((0, 1, -1, 0), ".W.g", (64, 48)),
        ((0, -1, 1, 0), "g.W.", (64, 48)),
        ((0, 1, 1, 0), "W.g.", (64, 48)),
        ((0, -1, -1, 0), ".g.W", (64, 48)),
    ],
)
def test_every_display_matrix(tmp_path, matrix, expected, shape):
    """x' = a x + c y, y' = b x + d y, by hand for a bright upper left and a grey upper right."""
    picture = np.full((48, 64, 3), DARK, np.uint8)
    picture[:24, :32], picture[:24, 32:] = BRIGHT, GREY
    clip = write_clip(tmp_path / "phone.mp4", [picture] * 3, [0.0, 0.04, 0.08])
    a, b, c, d = (0x10000 * x for x in matrix)
    turn_header(clip, (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    seen = next(read_video(clip)).rgb
    assert seen.shape == (*shape, 3)
    assert _quarters(seen) == expected


@pytest.mark.parametrize(
    ("stored", "shape", "shown"),
    [
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((176, 144), Fraction(128, 117), (193, 144)),
        ((64, 48), None, (64, 48)),
        ((64, 48), Fraction(0, 1), (64, 48)),
        ((64, 48), Fraction(1, 1000), (64, 48)),
    ],
)
def test_pixels_become_square(stored, shape, shown):
    width, height = stored
    assert square_size(width, height, shape) == shown


@pytest.mark.parametrize("turned", [False, True])
def test_a_circle_stays_one(tmp_path, turned):
    rows, columns = np.mgrid[:108, :144]
    circle = ((columns - 72) * 4 / 3) ** 2 + (rows - 54.0) ** 2 < 40**2
    picture = np.repeat((circle * 255).astype(np.uint8)[..., None], 3, 2)
    clip = write_clip(tmp_path / "hdv.mp4", [picture] * 3, [0, 0.04, 0.08], pixels=Fraction(4, 3))
    if turned:
        turn_header(clip, (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 1 << 30))
    seen = next(read_video(clip)).rgb
    assert seen.shape == ((192, 108, 3) if turned else (108, 192, 3))
    inside = seen[..., 0] > 127
    assert inside.any(0).sum() == pytest.approx(inside.any(1).sum(), abs=2)


def _stored(height: int, space: int, tagged: bool, full: bool = False) -> av.VideoFrame:
    """A red frame whose luma was made by the coefficients of `space`."""
    red = np.full((height, 64, 3), (200, 40, 60), np.uint8)
    frame = av.VideoFrame.from_ndarray(red, format="rgb24")
    scale = ColorRange.JPEG if full else ColorRange.MPEG
    frame = frame.reformat(format="yuv444p", dst_colorspace=space, dst_color_range=scale)
    frame.color_range = scale
    frame.colorspace = space if tagged else 2
    return frame


@pytest.mark.parametrize(
    ("height", "space", "tagged", "full"),
    [
        (48, Colorspace.ITU601, True, False),
        (48, Colorspace.ITU709, True, False),
        (720, Colorspace.BT2020, True, False),
        (48, Colorspace.ITU709, True, True),
        (48, Colorspace.ITU601, False, False),  # nothing said: small ones are taken for 601
        (720, Colorspace.ITU709, False, False),  # and large ones for 709
    ],
)
def test_colours_come_back(height, space, tagged, full):
    seen = displayed(_stored(height, space, tagged, full), None)
    np.testing.assert_allclose(seen[5, 5], (200, 40, 60), atol=3)
