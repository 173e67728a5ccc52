"""A picture in a file of its own."""

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageCms, ImageOps

from jaxreact.errors import UserError

IMAGES = (".png", ".jpg", ".jpeg")
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
EIGHT_BITS = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr")
"""Pillow's modes whose colours are RGB's without loss of range."""


def read_image(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """An image file as RGB from 0 to 255.

    A turn or mirror stored in the file is applied, as is its colour profile (phones: Display P3);
    transparency is dropped. Raises UserError where the file is missing, damaged or has more than 8
    bits a colour.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in EIGHT_BITS:
                raise UserError(f"{path}: mode {image.mode}; save it with 8 bits a colour")
            return np.asarray(_in_srgb(ImageOps.exif_transpose(image)))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable image: {error}") from error


def _in_srgb(image: Image.Image) -> Image.Image:
    """RGB by the profile that the image carries; without a sound one, as its numbers are."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "L", "CMYK"):
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
            assert converted is not None  # it is where nothing is to be converted in place
            return converted
    return image.convert("RGB")
