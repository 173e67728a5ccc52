"""A contact sheet: pictures in rows and columns, each with its name below it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

PAGE, INK, QUIET, MARK = (246, 247, 249), (28, 33, 40), (93, 103, 115), (196, 78, 0)
"""Colours of the report pages; MARK is for what needs attention."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One picture, its name, and a remark on what is wrong with it (or none)."""

    name: str
    picture: UInt8[np.ndarray, "size size 3"]
    remark: str = ""


def draw_sheet(
    cells: Sequence[Cell], columns: int, title: str
) -> UInt8[np.ndarray, "height width 3"]:
    """The sheet as an RGB picture; cells with a remark have a frame and show it."""
    size = len(cells[0].picture)
    gap, line = max(4, size // 16), max(10, size // 10)
    step = (size + gap, size + 2 * line + gap)
    top = gap + 3 * line
    rows = -(-len(cells) // columns)
    width = max(gap + columns * step[0], 2 * gap + round(_font(1.5 * line).getlength(title)))
    sheet = Image.new("RGB", (width, top + rows * step[1]), PAGE)
    pen = ImageDraw.Draw(sheet)
    pen.text((gap, gap + line), title, INK, _font(1.5 * line), anchor="lm")
    for index, cell in enumerate(cells):
        row, column = divmod(index, columns)
        _draw_cell(sheet, cell, (gap + column * step[0], top + row * step[1]), line)
    return np.asarray(sheet)


def _draw_cell(sheet: Image.Image, cell: Cell, corner: tuple[int, int], line: int) -> None:
    x, y = corner
    size = len(cell.picture)
    pen = ImageDraw.Draw(sheet)
    color = MARK if cell.remark else INK
    if cell.remark:
        frame = max(2, size // 45)
        pen.rectangle((x - frame, y - frame, x + size + frame - 1, y + size + frame - 1), MARK)
    sheet.paste(Image.fromarray(cell.picture), corner)
    if cell.remark:
        _fitting(pen, (x + size / 2, y + size - 0.9 * line), cell.remark, size, line, back=MARK)
    _fitting(pen, (x + size / 2, y + size + line), cell.name, size, line, ink=color)


def _fitting(
    pen: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    text: str,
    room: int,
    height: float,
    ink: tuple[int, int, int] = (255, 255, 255),
    back: tuple[int, int, int] | None = None,
) -> None:
    """Writes text around a point, in smaller letters if it is wider than its room."""
    font = _font(height)
    if (length := font.getlength(text)) > 0.96 * room:
        font = _font(height * 0.96 * room / length)
    if back is not None:
        left, top, right, bottom = pen.textbbox(middle, text, font, anchor="mm")
        pad = height / 4
        pen.rectangle((left - pad, top - pad, right + pad, bottom + pad), back)
    pen.text(middle, text, ink, font, anchor="mm")


def _font(height: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(height)
    assert isinstance(font, ImageFont.FreeTypeFont), "a size was asked for"
    return font
