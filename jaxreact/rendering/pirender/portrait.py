"""The still picture of a person that photo-real frames are made from, and the frame it is in."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.media.image import VIDEOS, read_image
from jaxreact.media.video_reader import read_video
from jaxreact.rendering.camera import SIZE

MARGIN = 256 / SIZE
"""The shorter side is scaled to this many times the picture's, of which the middle is taken."""


def read_portrait(
    source: str | Path | UInt8[np.ndarray, "height width 3"], size: int = SIZE
) -> Float[np.ndarray, "size size 3"]:
    """An image file, the first picture of a video, or an RGB array -> a portrait in [-1, 1].

    `framed`, then 0..255 to [-1, 1]. Raises UserError where the file cannot be read or has more
    than 8 bits a colour, or the array is no such picture.
    """
    if not isinstance(source, np.ndarray):
        path = Path(source)
        film = path.suffix.lower() in VIDEOS
        source = next(read_video(path)).rgb if film else read_image(path)
    elif source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
        raise UserError(
            f"portrait: expected uint8 (height, width, 3), got {source.dtype} {source.shape}"
        )
    return (framed(source, size).astype(np.float32) / 255 - 0.5) / 0.5


def framed(
    picture: UInt8[np.ndarray, "height width 3"], size: int = SIZE
) -> UInt8[np.ndarray, "size size 3"]:
    """What the original's models see of a recorded frame.

    The shorter side is scaled to 256 pixels, of which the middle 224 x 224 are taken (in proportion
    for another `size`), rounded as torchvision rounds. Scaling is Pillow's bilinear, which is what
    torchvision's transforms do to Pillow's images: its triangle widens where a picture shrinks
    (antialias, always).
    """
    image = Image.fromarray(picture)
    shorter = round(MARGIN * size)
    width, height = image.size
    if width <= height:
        scaled = (shorter, int(shorter * height / width))
    else:
        scaled = (int(shorter * width / height), shorter)
    if scaled != image.size:
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = round((scaled[0] - size) / 2), round((scaled[1] - size) / 2)
    return np.asarray(image.crop((left, top, left + size, top + size)))
