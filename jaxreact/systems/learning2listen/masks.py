"""How many of the listener's past codes training shows.

An index from 0 to 20: so many of the last codes, from 4 on all four. Nothing is hidden in 17 of 21
cases (Learning2Listen, modules/fact_model.py).
"""

import jax
import numpy as np
from jaxtyping import Array, Int

INDICES = 21
_SEED = 23456


def drawn(key: jax.Array, clips: int) -> Int[Array, "clips"]:
    """An index for each clip by itself, which the original draws once for a whole batch (L9)."""
    return jax.random.randint(key, (clips,), 0, INDICES)


def original_draws(count: int) -> Int[np.ndarray, "count"]:
    """The indices of the original's first steps: always the same ones."""
    return np.random.RandomState(_SEED).randint(0, INDICES, count)
