"""A picture in a file of its own."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from jaxreact.errors import UserError

IMAGES = (".png", ".jpg", ".jpeg")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
EIGHT_BITS = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr")
"""Pillow's modes whose colours are RGB's without loss of range."""


def read_image(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """An image file as RGB from 0 to 255.

    A rotation stored in the file is applied, transparency dropped. Raises UserError where the file
    is missing, damaged or has more than 8 bits a colour.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in EIGHT_BITS:
                raise UserError(f"{path}: mode {image.mode}; save it with 8 bits a colour")
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable image: {error}") from error
