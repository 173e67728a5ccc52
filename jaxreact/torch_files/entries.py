"""Which of the dictionaries in a checkpoint are a model's weights."""

from typing import Any

import numpy as np

from jaxreact.torch_files.names import listed, shown
from jaxreact.torch_files.plain_pickle import Malformed
from jaxreact.torch_files.torch_tensors import Tensor
from jaxreact.torch_files.wrappers import is_average

ENTRIES = ("state_dict",)
"""Where Lightning keeps the weights."""

USUAL = ("model_state_dict", "model", "module", "params", "weights", "network", "net")
"""Where others do, the most telling first."""

BEFORE_AVERAGING = "current_model_state"
"""Where Lightning's WeightAveraging puts the weights, whose average it writes as state_dict."""

_DEPTH = 3


def dictionary(content: Any) -> dict[Any, Any]:
    """`content`, which has to be a dictionary. Raises Malformed."""
    if not isinstance(content, dict):
        raise Malformed("it holds no dictionary")
    return content


def find_state_dict(content: Any, entries: tuple[str, ...] = ENTRIES) -> tuple[dict[Any, Any], str]:
    """The tensors by name, and what to say of the choice among several ("": nothing).

    The first of `entries` that is there; else the content itself, if that is tensors; else one of
    the `USUAL` places; else an average of the weights over training. Raises Malformed where there
    is none.
    """
    content = dictionary(content)
    for entry in entries:
        if entry in content:
            if not isinstance(content[entry], dict):
                raise Malformed(f"its {entry} is no dictionary")
            inner = _weights_in(content[entry])
            return content[entry] if inner is None else inner, _choice(content, entry, entries)
    if _are_tensors(content):
        return content, ""
    for entry in (*USUAL, *filter(_names_average, content)):
        if (inner := _weights_in(content.get(entry))) is not None:
            others = _choice(content, entry, entries)
            return inner, others or f"its weights are taken from {shown(entry)}"
    raise Malformed(f"there is no {' or '.join(entries)} in it; is it a model's checkpoint?")


def _choice(content: dict[Any, Any], taken: str, entries: tuple[str, ...]) -> str:
    """What to say of other weights in the file."""
    average = "the average of the weights over training"
    if BEFORE_AVERAGING in content and taken == "state_dict":
        return f"its {taken}, {average}, is taken, not its {BEFORE_AVERAGING}"
    others = [
        name
        for name in content
        if name != taken
        and (name in entries or _names_average(name))
        and _weights_in(content[name]) is not None
    ]
    if _names_average(taken):
        beside = f", not its {listed(others)}" if others else ""
        return f"its {shown(taken)}, {average}, is taken{beside}"
    return f"its {shown(taken)} is taken, not {average}: {listed(others)}" if others else ""


def _names_average(name: Any) -> bool:
    return isinstance(name, str) and is_average(name)


def _are_tensors(content: Any) -> bool:
    return bool(content) and all(isinstance(x, (np.ndarray, Tensor)) for x in content.values())


def _weights_in(content: Any, depth: int = _DEPTH) -> dict[Any, Any] | None:
    """The tensors in a dictionary, or in a usual place of it."""
    if not isinstance(content, dict) or not depth:
        return None
    if _are_tensors(content):
        return content
    for entry in (*ENTRIES, *USUAL):
        if (inner := _weights_in(content.get(entry), depth - 1)) is not None:
            return inner
    return None
