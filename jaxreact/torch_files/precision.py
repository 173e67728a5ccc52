"""Weights of other precisions -> float32, which every model here keeps."""

import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxreact.errors import Remark

WIDENED = ("float16", "bfloat16")
"""float32 has each of their values."""
ROUNDED = "float64"


def in_float32(tensors: Mapping[str, np.ndarray], source: str | Path) -> dict[str, np.ndarray]:
    """The tensors, those of float16, bfloat16 and float64 as float32; a `Remark` says how many.

    A tensor of float64 with values beyond float32 stays as it is: who needs it must refuse it. All
    other types stay too: integers are counts, and float8 means nothing without its scales.
    """
    found: dict[str, np.ndarray] = {}
    changed: Counter[str] = Counter()
    for name, tensor in tensors.items():
        found[name] = tensor
        kind = tensor.dtype.name  # in either byte order
        if kind in WIDENED or (kind == ROUNDED and not beyond_float32(tensor)):
            with np.errstate(under="ignore"):
                found[name] = tensor.astype(np.float32)
            changed[kind] += 1
    if changed:
        parts = [f"{number} of {name}" for name, number in sorted(changed.items())]
        rounded = ", those of float64 rounded" if ROUNDED in changed else ""
        warnings.warn(
            f"{source}: tensors converted to float32{rounded}: {' and '.join(parts)}",
            Remark,
            stacklevel=3,
        )
    return found


def beyond_float32(tensor: np.ndarray) -> int:
    """How many finite values of float64 become infinite in float32."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        beyond = np.isfinite(tensor) & ~np.isfinite(tensor.astype(np.float32))
    return int(beyond.sum())
