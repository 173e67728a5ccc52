"""Files that would be a `results.pt` (`results`) but for the names of their entries."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from jaxreact.torch_files.names import shown

ENTRIES = ("GT", "PRED")
"""What such a file holds, and what it is known by."""
_CLIP = 3
"""Axes of a clip's targets or reactions; those of a batch of predictions are four."""


def nearly_results(content: dict[Any, Any]) -> str:
    """What to do with a dictionary that has GT and PRED in other letters, as lists of clips; "" for
    any other one."""
    keys = _in_any_case(content)
    if keys and all(_is_of_clips(content[key]) for key in keys):
        return _renamed(keys)
    return ""


def results_inside(content: dict[Any, Any]) -> str:
    """What to do with a dictionary that has GT and PRED further inside; "" for any other one."""
    for key, value in content.items():
        if isinstance(value, dict) and set(ENTRIES) <= set(value):
            return f"GT and PRED stand inside its entry {shown(key)}; save that by itself"
    return ""


def nearly_results_in_npz(names: Iterable[str]) -> str:
    """As `nearly_results`, of the names of an npz file's arrays."""
    names = list(names)
    for number in ("", "_0"):
        if keys := _in_any_case(names, number):
            return _renamed(keys, number)
    return ""


def _renamed(keys: list[str], number: str = "") -> str:
    wanted = " and ".join(f"{entry}{number}" for entry in ENTRIES)
    return f"it has {' and '.join(keys)}, a file of results {wanted}; name them so"


def _in_any_case(names: Iterable[Any], number: str = "") -> list[str]:
    """The names that are GT and PRED but for their case, where both are there."""
    texts = [name for name in names if isinstance(name, str)]
    found = {name.upper(): name for name in texts}
    keys = [found[wanted] for entry in ENTRIES if (wanted := f"{entry}{number}") in found]
    return keys if len(keys) == len(ENTRIES) else []


def _is_of_clips(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return all(isinstance(clip, np.ndarray) and clip.ndim == _CLIP for clip in value)
