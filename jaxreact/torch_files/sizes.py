"""Whether a configuration can be that of a file's tensors, told before a model is built by it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact.errors import UserError

LAYERS = frozenset(
    {"n_layer", "num_layers", "num_hidden_layers", "encoder_layers", "decoder_layers"}
)
"""Names of numbers of layers, each of which has a tensor at least."""


def check_sizes(
    config: Any,
    tensors: Mapping[str, np.ndarray],
    said_by: str | Path,
    held_by: str | Path,
    unseen: frozenset[str] = frozenset(),
) -> None:
    """Raises UserError for a size that no tensors like these can have.

    A model of a million layers takes hours to build, only to be found not to fit. `config`: a
    dataclass read from the file `said_by`; its whole numbers, and those in its tuples, are sizes
    but for the `unseen`, which leave no trace in the file of weights, `held_by`.
    """
    most = {True: len(tensors), False: sum(x.size for x in tensors.values())}
    things = {True: "tensors", False: "numbers"}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name in unseen:
            continue
        sizes = value if isinstance(value, tuple) else (value,)
        is_count = field.name in LAYERS
        for size in (*sizes, len(sizes)):
            if type(size) is int and size > most[is_count]:
                raise UserError(
                    f"{said_by}: {field.name} is {_short(size)}, and {held_by} holds only"
                    f" {most[is_count]} {things[is_count]}; give the configuration of these weights"
                )


def _short(size: int) -> str:
    """A number that may have thousands of digits."""
    return str(size) if size < 10**18 else "more than 10^18"
