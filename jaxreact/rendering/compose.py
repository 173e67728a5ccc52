"""Several panels in one picture, and the video of a conversation: speaker beside listener."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from jaxreact.face import FPS
from jaxreact.rendering import HeadModel, render_frames
from jaxreact.rendering.video import Sound, write_video

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


def render_conversation(
    path: str | Path,
    speaker: Float[np.ndarray, "time 58"] | Frames,
    listener: Float[np.ndarray, "time 58"] | Frames,
    audio: Sound | None = None,
    *,
    labels: tuple[str, str] = ("speaker", "listener"),
    head: HeadModel | None = None,
    size: int = 256,
    fps: int = FPS,
) -> int:
    """Writes the mp4 of a conversation, the speaker on the left, and returns its frames.

    Either side is *raw* coefficients (time, 58), drawn with `head`, or RGB frames of a real video
    (25 a second, any size). `audio` is the speaker's sound. The video ends with the shorter side.
    Raises `UserError` as `render_frames` and `write_video` do; then nothing is left at `path`.
    """
    sides: list[Frames] = [
        render_frames(side, head, size) if _are_coeffs(side) else side  # pyright: ignore
        for side in (speaker, listener)
    ]
    lengths = [len(side) for side in (speaker, listener) if isinstance(side, Sized)]
    frames = side_by_side(sides, labels, size)
    total = min(lengths, default=None)
    bar = tqdm(frames, total=total, desc=f"video {Path(path).name}", unit="frame", disable=None)
    return write_video(path, bar, fps, audio)


def _are_coeffs(side: object) -> bool:
    """Whether one side of a conversation is an array of coefficients, of NumPy or JAX."""
    return getattr(side, "ndim", None) == 2


def _tag(text: str, size: int) -> Float[np.ndarray, "high wide"] | None:
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
