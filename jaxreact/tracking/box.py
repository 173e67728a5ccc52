"""Where a face is in a picture, and how far one can have come meanwhile."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

_SAMPLES = 64  # points per side that a look is made of ...
_CELLS = 16  # ... averaged to so many


@dataclass(frozen=True)
class Box:
    """A square around a face, brow to chin: its centre and side in pixels of the picture."""

    x: float
    y: float
    side: float

    def faces_to(self, other: "Box") -> float:
        """Distance of the centres in faces, by the mean of both sides."""
        return math.hypot(self.x - other.x, self.y - other.y) * 2 / (self.side + other.side)

    def area(self, scale: float, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the square `scale` times as large, as far as the picture reaches."""
        half = self.side * scale / 2
        rows = slice(max(0, round(self.y - half)), max(0, min(height, round(self.y + half))))
        columns = slice(max(0, round(self.x - half)), max(0, min(width, round(self.x + half))))
        return rows, columns


def can_be(before: Box, now: Box, seconds: float) -> bool:
    """Whether one face can have come from one place and size to another in so many seconds.

    Heads are slow beside this: the quickest movement of a man who talks is 0.05 faces in 33 ms. It
    leaves room for cameras that move, but is never more than two faces, however long a face was
    out of sight.
    """
    growth = abs(math.log2(now.side / before.side))
    return before.faces_to(now) <= min(0.6 + 6 * seconds, 2.0) and growth <= min(
        0.5 + 2 * seconds, 1.0
    )


def look_of(
    rgb: UInt8[np.ndarray, "height width 3"], box: Box, scale: float
) -> Float[np.ndarray, "16 16"]:
    """What is in a box `scale` times as large, so small that movements of the face hardly count."""
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * 2 - 1
    half = box.side * scale / 2
    rows = np.clip(np.round(box.y + steps * half), 0, rgb.shape[0] - 1).astype(int)
    columns = np.clip(np.round(box.x + steps * half), 0, rgb.shape[1] - 1).astype(int)
    return cell_means(rgb[rows[:, None], columns, 1], _CELLS, _CELLS)


def cell_means(
    values: UInt8[np.ndarray, "height width"], rows: int, columns: int
) -> Float[np.ndarray, "rows columns"]:
    """Means over a grid of cells; pixels that fill no whole cell are left out."""
    height, width = values.shape[0] // rows, values.shape[1] // columns
    whole = values[: height * rows, : width * columns].astype(np.float64)
    return whole.reshape(rows, height, columns, width).mean(axis=(1, 3))


def likeness(a: Float[np.ndarray, "rows columns"], b: Float[np.ndarray, "rows columns"]) -> float:
    """Correlation of two small pictures, in [-1, 1].

    Of those of a single colour it is 1 with each other and 0 with others.
    """
    a, b = a - a.mean(), b - b.mean()
    flat = [bool(np.abs(cells).max() < 0.5) for cells in (a, b)]
    if any(flat):
        return float(all(flat))
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
