"""Which predictions and reactions are compared, and what is kept of it."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

WEIGHTS = np.array([1 / 15, 1.0, 1 / 8])
"""Of the distances of action units, valence and arousal, and expressions."""

SLACK = 1 + 1e-9
"""What the order of three float64 additions may change of a total that is a limit."""

Pairs = Int[np.ndarray, "pairs 3"]
"""Clip, sample and the other that they are compared with."""

Progress = Callable[[int], object]
"""Is told how many more are done."""


def keep_nearest(
    nearest: Float[np.ndarray, "clips samples"], pairs: Pairs, blocks: Float[np.ndarray, "3 pairs"]
) -> None:
    """Lowers `nearest` to the weighted totals of these pairs, where they are smaller."""
    weighted = WEIGHTS[:, None] * blocks.astype(np.float64)
    totals = weighted[0] + weighted[1] + weighted[2]  # a matrix product rounds by its size
    np.minimum.at(nearest, (pairs[:, 0], pairs[:, 1]), totals)
