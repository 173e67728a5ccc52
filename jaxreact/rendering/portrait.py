"""The still picture of a person that photo-real frames are made from."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps

from jaxreact.errors import UserError
from jaxreact.tracking.video import pictures

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
EIGHT_BITS = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr")
"""Pillow's modes whose colours are RGB's without loss of range."""

MARGIN = 256 / 224
"""The shorter side is scaled to this many times the picture's, of which the middle is taken."""


def read_portrait(
    source: str | Path | UInt8[np.ndarray, "height width 3"], size: int = 224
) -> Float[np.ndarray, "size size 3"]:
    """An image file, the first picture of a video, or an RGB array -> a portrait in [-1, 1].

    As the original's transform of videos: the shorter side to 256 pixels, the middle 224 x 224 of
    that (in proportion for another `size`), then 0..255 to [-1, 1]. Scaling is Pillow's bilinear,
    which is what torchvision's transforms do to Pillow's images: its triangle widens where a
    picture shrinks (antialias, always). A rotation stored in the file is applied, transparency
    dropped. Raises UserError where the file cannot be read or has more than 8 bits a colour, or
    the array is no such picture.
    """
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
            raise UserError(
                f"portrait: expected uint8 (height, width, 3), got {source.dtype} {source.shape}"
            )
        image = Image.fromarray(source)
    else:
        image = _read(Path(source))
    pixels = np.asarray(_crop(image, size), np.float32)
    return (pixels / 255 - 0.5) / 0.5


def _read(path: Path) -> Image.Image:
    if path.suffix.lower() in VIDEOS:
        for picture in pictures(path):
            return Image.fromarray(picture.rgb)
        raise UserError(f"{path}: has no pictures")
    try:
        with Image.open(path) as image:
            if image.mode not in EIGHT_BITS:
                raise UserError(f"{path}: mode {image.mode}; save it with 8 bits a colour")
            return ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give a picture of a face") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable image: {error}") from error


def _crop(image: Image.Image, size: int) -> Image.Image:
    """The shorter side to `MARGIN` sizes and the middle of that; rounded as torchvision rounds."""
    shorter = round(MARGIN * size)
    width, height = image.size
    if width <= height:
        scaled = (shorter, int(shorter * height / width))
    else:
        scaled = (int(shorter * width / height), shorter)
    if scaled != image.size:
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    left, top = round((scaled[0] - size) / 2), round((scaled[1] - size) / 2)
    return image.crop((left, top, left + size, top + size))
