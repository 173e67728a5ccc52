"""Clips that have no appropriate reaction to be compared with, in both modes."""

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError


def without_neighbours(mode: str) -> float:
    """The value of a clip without neighbours: 0 in `original`, NaN (takes no part) in `corrected`.

    So the original divides by all clips, and each such clip pulls the score to 0 (behaviour 3).
    """
    return 0.0 if mode == "original" else float("nan")


def check_neighbours(lists: list[np.ndarray], mode: str) -> None:
    """Raises `UserError` if mode `corrected` would leave out every clip."""
    if mode == "corrected" and not any(len(others) for others in lists):
        raise UserError("neighbours: no clip has a neighbour; is it the matrix of this split?")


def check_matrix(matrix: Float[np.ndarray, "clips columns"], mode: str) -> None:
    """The same of a whole matrix, before there is anything to score."""
    check_neighbours([np.flatnonzero(row == 1) for row in matrix], mode)
