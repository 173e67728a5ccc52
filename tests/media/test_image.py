"""Images of every kind come out as RGB, or are refused by name."""

import numpy as np
import pytest
from PIL import Image

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
