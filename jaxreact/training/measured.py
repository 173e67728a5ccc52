"""Statistics of a model that take a pass over the whole training split.

They belong to the model that is kept: each time that the validation loss is the best so far they
are measured anew, so that whatever is saved is whole, whenever a run ends.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

Tree = Any


@dataclass(frozen=True)
class Measurement:
    """What is looked at, batch by batch, and what is made of it."""

    observe: Callable[[Any, Tree], jax.Array]
    """(model, batch) -> (rows, ...) of whatever is counted; compiled."""
    summarise: Callable[[np.ndarray], Tree]
    """All rows, on the host -> the model's new statistics, a tree like the old ones."""


def measured(
    measurement: Measurement, observe: Callable[[Tree], jax.Array], batches: Iterable[Tree]
) -> Tree:
    """The new statistics; `observe` is the measurement's, of the model as it is now."""
    rows = [np.asarray(jax.device_get(observe(batch))) for batch in batches]
    return measurement.summarise(np.concatenate(rows))
