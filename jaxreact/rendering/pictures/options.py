"""What the commands that draw have in common: the head, the size, and where the result goes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Float
from tyro.conf import arg

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION, ROTATION, TRANSLATION
from jaxreact.rendering import PORTRAIT_ZOOM, Backend, HeadModel, load_builtin_head

SIZES = (16, 2048)
"""Smallest and largest side of a face in pixels."""


@dataclass(frozen=True)
class HeadFiles:
    """Whose head."""

    head: Annotated[Path | None, arg(metavar="FILE")] = None
    """Another head model, converted by convert_weights.py. Default: the built-in head."""
    reference: Annotated[Path | None, arg(metavar="FILE")] = None
    """With --head: coefficients of a person whose identity the head takes (reference_full.npy)."""

    def load(self) -> HeadModel:
        """The head model. Raises `UserError` for files that cannot be used."""
        if self.head is not None:
            return load_head(self.head, self.reference)
        if self.reference is not None:
            raise UserError("--reference is a person's identity for --head; the built-in has none")
        return load_builtin_head()


@dataclass(frozen=True)
class Drawing(HeadFiles):
    """Whose head, and how it is drawn."""

    size: int = 256
    """Side of each face in pixels."""
    backend: Backend = "auto"
    """What draws; "auto" takes the best that is installed."""

    def __post_init__(self) -> None:
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise UserError(f"--size {self.size}: choose {SIZES[0]} to {SIZES[1]} pixels")


def load_head(path: Path, reference: Path | None = None) -> HeadModel:
    """A converted head model."""
    raise UserError(f"{path}: only the built-in head can be drawn yet; leave out --head")


def portrait_zoom(head: HeadModel) -> float:
    """Zoom at which a head has its room: shoulders, and hair above them, need more than a face."""
    return PORTRAIT_ZOOM if (head.grip < 1).any() else 1.0


def check_out(path: Path, suffix: str) -> None:
    """Raises `UserError` where a file with this suffix cannot be written at `path`."""
    if path.suffix.lower() != suffix:
        raise UserError(f"--out {path}: the file is written as {suffix[1:]}; end its name so")
    check_folder(path.parent)
    if path.is_dir():
        raise UserError(f"--out {path}: is a directory; name a file in it")


def check_folder(path: Path) -> None:
    """Raises `UserError` where a directory can neither be nor be made."""
    for part in (path, *path.parents):
        if part.exists():
            if not part.is_dir():
                raise UserError(f"--out: {part} is a file, not a directory")
            return


def upright(frames: int) -> Float[np.ndarray, "frames 58"]:
    """Coefficients of a face at rest that looks into the camera."""
    coeffs = np.zeros((frames, COEFFS), np.float32)
    coeffs[:, ROTATION], coeffs[:, TRANSLATION] = NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
    return coeffs
