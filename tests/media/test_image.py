"""Images of every kind come out as RGB, or are refused by name."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from jaxreact.errors import UserError
from jaxreact.media.image import read_image


def test_modes_of_images(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    for mode in ("RGB", "RGBA"):
        Image.fromarray(colours).convert(mode).save(tmp_path / "1.png")
        np.testing.assert_array_equal(read_image(tmp_path / "1.png"), colours)
    Image.fromarray(colours[..., 0]).save(tmp_path / "1.png")
    np.testing.assert_array_equal(read_image(tmp_path / "1.png"), colours[..., :1].repeat(3, -1))
    Image.fromarray(colours[..., 0].astype(np.uint16) * 256).save(tmp_path / "1.png")
    with pytest.raises(UserError, match=r"1\.png: mode I;16; save it with 8 bits"):
        read_image(tmp_path / "1.png")


def test_a_colour_profile_is_applied(tmp_path):
    """Of a profile with another white, as a stand-in for a phone's: the numbers change by it."""
    colours = np.full((4, 4, 3), (200, 100, 50), np.uint8)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(colours).save(tmp_path / "same.png", icc_profile=lab)
    np.testing.assert_allclose(read_image(tmp_path / "same.png"), colours, atol=1)
    wide = bytearray(lab)  # its red and its green change places
    red, green = wide.index(b"rXYZ"), wide.index(b"gXYZ")
    wide[red : red + 4], wide[green : green + 4] = b"gXYZ", b"rXYZ"
    Image.fromarray(colours).save(tmp_path / "turned.png", icc_profile=bytes(wide))
    np.testing.assert_allclose(read_image(tmp_path / "turned.png")[0, 0], (100, 200, 50), atol=2)
    Image.fromarray(colours).save(tmp_path / "bad.png", icc_profile=b"no profile")
    np.testing.assert_array_equal(read_image(tmp_path / "bad.png"), colours)
