"""What the commands that draw have in common: whose head, how large, and by what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from jaxreact.errors import UserError
from jaxreact.rendering import Backend, HeadModel, load_builtin_head, load_head

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
