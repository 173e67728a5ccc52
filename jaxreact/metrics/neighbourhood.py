"""The mean over clips when some have no appropriate reaction to be compared with."""

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError


def mean_over_clips(rows: Float[np.ndarray, "clips"], lists: list[np.ndarray], mode: str) -> float:
    """Mean of one value a clip; clips without neighbours hold 0.

    `original` divides by all clips, so each such clip pulls the score to 0; `corrected` leaves
    them out (behaviour 3) and raises `UserError` if none is left.
    """
    if mode == "original":
        return float(rows.mean())
    compared = np.array([len(others) > 0 for others in lists])
    if not compared.any():
        raise UserError("neighbours: no clip has a neighbour; is it the matrix of this split?")
    return float(rows[compared].mean())
