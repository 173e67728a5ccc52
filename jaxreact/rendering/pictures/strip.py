"""A short clip as one picture: rendered heads at equal spacing, one row a face."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from jaxreact.face import FPS
from jaxreact.html.colors import INK, PAPER
from jaxreact.rendering import HeadModel, render

GAP = 2
"""Pixels between pictures."""

ZOOM = 0.85
"""Closer than a portrait: what matters are mouth and eyes, and the pictures are small."""


def draw_strip(
    rows: Mapping[str, Float[np.ndarray, "time 58"]],
    frames: int = 8,
    size: int = 144,
    head: HeadModel | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """An RGB picture: a row of `frames` heads for each face, its label before it, seconds above.

    `rows` are *raw* coefficients by label, from top to bottom, all from the same moment on; the
    frames are equally spaced over the shortest, its first and last among them. `size` is the side
    of a head in pixels, `head` the built-in one by default. Raises `UserError` as `render` does.
    """
    length = min(len(coeffs) for coeffs in rows.values())
    at = np.unique(np.linspace(0, length - 1, frames).round().astype(int))
    height = max(11, size / 10)
    font = ImageFont.load_default(height)
    left = max(int(font.getlength(word)) for label in rows for word in label.split()) + 12
    top = int(height * 1.6)
    step = size + GAP
    sheet = Image.new("RGB", (left + step * len(at), top + step * len(rows)), PAPER.light)
    pen = ImageDraw.Draw(sheet)
    for column, frame in enumerate(at):
        centre = left + step * column + size / 2
        pen.text((centre, top / 2), f"{frame / FPS:.2f} s", fill=INK.light, font=font, anchor="mm")
    for row, (label, coeffs) in enumerate(rows.items()):
        y = top + step * row
        text = "\n".join(label.split())
        pen.text((6, y + size / 2), text, fill=INK.light, font=font, anchor="lm")
        for column, picture in enumerate(render(coeffs[at], head, size, zoom=ZOOM)):
            sheet.paste(Image.fromarray(picture), (left + step * column, y))
    return np.array(sheet)
