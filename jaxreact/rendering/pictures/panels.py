"""Faces that move, each with its name, in rows and columns of one video."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from tqdm import tqdm

from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.media.video_writer import Sound, write_video
from jaxreact.rendering import render_frames
from jaxreact.rendering.compose import side_by_side
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures.reactions import Reactions


@dataclass(frozen=True, eq=False)
class Panel:
    """A face in the picture: its name and its raw coefficients."""

    name: str
    coeffs: Float[np.ndarray, "frames 58"]


def recorded(reactions: Reactions) -> list[Panel]:
    """Panels of the speaker and the recorded listener, as far as their faces are known."""
    people = {"speaker": reactions.speaker, "recorded listener": reactions.listener}
    return [
        Panel(name, person.coeffs) for name, person in people.items() if person.coeffs is not None
    ]


def columns_for(panels: int) -> int:
    """How many panels stand in a row: those that leave the fewest places empty, in a picture that
    is wider than high."""
    fewest = math.ceil(math.sqrt(panels))
    return min(range(fewest, 2 * fewest), key=lambda columns: (-panels % columns, columns))


def in_rows(
    panels: Sequence[Panel], columns: int, drawing: Drawing
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields pictures of all panels, `columns` in a row; ends with the shortest.

    Places that are left empty in the last row are black. Raises `UserError` as `render_frames`
    does, before anything is drawn.
    """
    head, size = drawing.load(), drawing.size
    faces = [render_frames(p.coeffs, head, size, backend=drawing.backend) for p in panels]
    empty = -len(panels) % columns
    faces += [itertools.repeat(np.zeros((size, size, 3), np.uint8))] * empty
    names = [panel.name for panel in panels] + [""] * empty
    rows = [
        side_by_side(faces[first : first + columns], names[first : first + columns], size)
        for first in range(0, len(faces), columns)
    ]
    return (np.concatenate(row, axis=0) for row in zip(*rows, strict=False))


def write_panels(
    path: Path, panels: Sequence[Panel], columns: int | None, drawing: Drawing, sound: Sound | None
) -> int:
    """Writes the video of `in_rows` with sound and returns its frames.

    Without `columns` they suit the number of panels. Raises `UserError` as `write_video` does.
    """
    if columns is not None and columns < 1:
        raise UserError(f"--columns {columns} is less than 1")
    columns = min(columns or columns_for(len(panels)), len(panels))
    pictures = in_rows(panels, columns, drawing)
    total = min(len(panel.coeffs) for panel in panels)
    bar = tqdm(pictures, f"video {path.name}", total, unit="frame", disable=None)
    return write_video(path, iter(bar), FPS, sound)
