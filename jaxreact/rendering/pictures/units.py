"""The command `python -m jaxreact.rendering units`: what each unit of a head model does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from tqdm import tqdm
from tyro.conf import arg

from jaxreact.errors import UserError
from jaxreact.face import EXPRESSIONS, INDEX
from jaxreact.files import replacing
from jaxreact.rendering import HeadModel, render_frames
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures.expression import upright
from jaxreact.rendering.pictures.out import check_out
from jaxreact.rendering.pictures.sheet import Cell, draw_sheet

ZOOM = 1.0
"""A face fills the picture, as in the original."""

STILL = 1e-6
"""Model units that a vertex moves at least, to be said to move."""

SEEN = 6
"""8-bit steps by which a pixel changes at least, to be seen to change."""


@dataclass(frozen=True)
class Units:
    """A picture of every unit of a head model at some weight, with its name, beside the face at
    rest; for checking the model.

    Units that move nothing, or nothing that can be seen, are marked, and named on stdout.
    """

    out: Annotated[Path, arg(metavar="FILE.png")]
    """The picture."""
    weight: float = 1.0
    """Weight of each unit."""
    columns: int = 9
    """Faces in a row."""
    drawing: Annotated[Drawing, arg(name="")] = field(default_factory=lambda: Drawing(size=180))

    def run(self) -> None:
        """Writes the picture, and prints the units that do nothing and its path."""
        check_out(self.out, ".png")
        if not -5 <= self.weight <= 5:
            raise UserError(f"--weight {self.weight:g}: choose -5 to 5")
        if not 1 <= self.columns <= len(EXPRESSIONS) + 1:
            raise UserError(f"--columns {self.columns}: choose 1 to {len(EXPRESSIONS) + 1}")
        cells = list(unit_cells(self.drawing.load(), self.weight, self.drawing))
        source = "the built-in head" if self.drawing.head is None else self.drawing.head.name
        title = f"52 units of {source} at weight {self.weight:g}"
        with replacing(self.out) as temporary:
            Image.fromarray(draw_sheet(cells, self.columns, title)).save(temporary)
        for cell in cells:
            if cell.remark:
                print(f"{cell.name}: {cell.remark}")
        print(self.out)


def unit_cells(head: HeadModel, weight: float, drawing: Drawing) -> Iterator[Cell]:
    """Yields the face at rest, then each unit alone.

    mouthClose is shown with jawOpen, and held against jawOpen alone, where it counts only with it.
    """
    coeffs, start = upright(1 + len(EXPRESSIONS)), np.zeros(1 + len(EXPRESSIONS), int)
    names = ["neutral", *EXPRESSIONS]
    coeffs[np.arange(1, len(coeffs)), np.arange(len(EXPRESSIONS))] = weight
    if head.lips_need_jaw:
        close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
        coeffs[1 + close, jaw] = weight
        start[1 + close] = 1 + jaw
        names[1 + close] = "mouthClose + jawOpen"
    drawn = render_frames(coeffs, head, drawing.size, backend=drawing.backend, zoom=ZOOM)
    bar = tqdm(drawn, "units", len(coeffs), unit="face", delay=2, disable=None)
    pictures: list[UInt8[np.ndarray, "size size 3"]] = []
    for index, picture in enumerate(bar):
        pictures.append(picture)
        remark = ""
        if index:
            pair = coeffs[[start[index], index]]
            remark = nothing(head, pair, pictures[start[index]], picture)
        yield Cell(names[index], picture, remark)


def nothing(
    head: HeadModel, pair: Float[np.ndarray, "2 58"], before: np.ndarray, after: np.ndarray
) -> str:
    """What two poses fail to differ in, given their pictures; empty if they look different."""
    resting, moved = np.asarray(head.vertices(pair))
    if np.abs(moved - resting).max() < STILL:
        return "nothing moves"
    if np.abs(before.astype(int) - after).max() < SEEN:
        return "moves, but nothing is seen"
    return ""
