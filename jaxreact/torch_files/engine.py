"""Moves tensors between torch names and this project's variables, strict both ways.

A table is a list of rules; each names a torch key and a variable by templates and the transform
between their arrays. In a template `{x}` stands for part of one dotted name, `{x...}` for one or
more whole names; the same word stands for the same text on both sides. The first rule that matches
decides, in either direction, so that one table serves conversion and the way back.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from jaxreact.torch_files.misfit import Misfit
from jaxreact.torch_files.precision import beyond_float32

Path = tuple[str | int, ...]
"""Where a variable stands in its model; list indices are integers."""


@dataclass(frozen=True)
class Transform:
    """An invertible rearrangement of an array: values are never computed, only moved."""

    to_jax: Callable[[np.ndarray], np.ndarray]
    to_torch: Callable[[np.ndarray], np.ndarray]


SAME = Transform(lambda x: x, lambda x: x)
LINEAR = Transform(lambda x: x.T, lambda x: x.T)
"""torch keeps (out, in), flax (in, out)."""
CONV = Transform(lambda x: x.transpose(2, 1, 0), lambda x: x.transpose(2, 1, 0))
"""torch keeps (out, in, width), flax (width, in, out)."""
CONV_2D = Transform(lambda x: x.transpose(2, 3, 1, 0), lambda x: x.transpose(3, 2, 0, 1))
"""torch keeps (out, in, height, width), flax (height, width, in, out)."""
CONV_TRANSPOSED_2D = Transform(lambda x: x.transpose(2, 3, 0, 1), lambda x: x.transpose(2, 3, 0, 1))
"""torch keeps (in, out, height, width), we (height, width, in, out), not flipped."""
CHANNELS = Transform(lambda x: x[:, 0, 0], lambda x: x[:, None, None])
"""Trailing axes of length one that torch keeps and we do not."""
ONLY = Transform(lambda x: x[0], lambda x: x[None])
"""A leading axis of length one that torch keeps and we do not."""


@dataclass(frozen=True)
class Rule:
    """One line of a table."""

    torch: str
    jax: str
    transform: Transform = SAME


@dataclass(frozen=True)
class Ignored:
    """Torch keys that are left out on purpose."""

    torch: str
    reason: str


@dataclass(frozen=True)
class Table:
    """How one model's tensors are named.

    `constants`: tensors that the torch model stores but that follow from its configuration; they
    are checked on the way in and written on the way back. `model`: what it is, as errors say it.
    """

    rules: tuple[Rule, ...]
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    model: str = "this model"


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """The anchored regular expression of a template."""
    expression = ""
    for part in re.split(r"(\{\w+(?:\.\.\.)?\})", template):
        if part.startswith("{"):
            name = part.strip("{.}")
            expression += rf"(?P<{name}>.+)" if "..." in part else rf"(?P<{name}>[^.]*)"
        else:
            expression += re.escape(part)
    return re.compile(expression)


def _translate(name: str, source: str, target: str) -> str | None:
    match = _pattern(source).fullmatch(name)
    return match and target.replace("...}", "}").format(**match.groupdict())


def dotted(path: Path) -> str:
    """A variable's path as text."""
    return ".".join(map(str, path))


def _path(name: str) -> Path:
    return tuple(int(part) if part.isdecimal() else part for part in name.split("."))


def _torch_name(path: Path, table: Table) -> tuple[str, Rule]:
    for rule in table.rules:
        if name := _translate(dotted(path), rule.jax, rule.torch):
            return name, rule
    raise KeyError(f"no rule names {dotted(path)}")


def split_ignored(
    tensors: Mapping[str, np.ndarray], table: Table
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The tensors that the table has to place, and those that it ignores."""
    patterns = [_pattern(entry.torch) for entry in table.ignored]
    ignored = {k: v for k, v in tensors.items() if any(p.fullmatch(k) for p in patterns)}
    return {k: v for k, v in tensors.items() if k not in ignored}, ignored


def fill(
    abstract: Mapping[Path, Any],
    tensors: Mapping[str, np.ndarray],
    table: Table,
    source: Any,
    prefix: str = "",
) -> dict[Path, np.ndarray]:
    """Every variable of `abstract` (anything with shape and dtype) from `tensors`, by `table`.

    Raises UserError, naming `source`, the cause and the first offenders, `prefix` before their
    names: a key that is neither placed nor ignored, a variable that stays empty, a shape (both
    given) or dtype that differs, a constant with another value than the configuration says, values
    that are infinite or no numbers.
    """
    places = {
        name: (path, rule, abstract[path])
        for path in abstract
        for name, rule in [_torch_name(path, table)]
    }
    filled: dict[Path, np.ndarray] = {}
    misfit = Misfit()
    for name, tensor in split_ignored(tensors, table)[0].items():
        if name in table.constants:
            _check_constant(misfit, name, tensor, table.constants[name])
        elif name not in places:
            misfit.unknown.append(f"{name} {tensor.shape}")
        else:
            path, rule, leaf = places[name]
            if math.prod(leaf.shape) > _LARGEST:
                misfit.shapes.append(f"{name}: shape {tensor.shape} in the file, {leaf.shape} here")
                continue
            shape = np.shape(rule.transform.to_torch(np.broadcast_to(0, leaf.shape)))
            if _fits(misfit, name, tensor, shape, leaf.dtype):
                filled[path] = np.array(rule.transform.to_jax(tensor), order="C")
    misfit.missing += [name for name in (*places, *table.constants) if name not in tensors]
    misfit.fitted = len(filled)
    misfit.refuse(source, table.model, prefix)
    return filled


_LARGEST = 2**56
"""Numbers of a tensor; NumPy has no shape of more, which only a wrong configuration asks for."""


def _fits(
    misfit: Misfit, name: str, tensor: np.ndarray, shape: tuple[int, ...], dtype: np.dtype
) -> bool:
    """Whether a tensor can be a variable of this shape and type; else `misfit` says why."""
    if tensor.shape != shape:
        misfit.shapes.append(f"{name}: shape {tensor.shape} in the file, {shape} expected")
    elif tensor.dtype == np.float64 and (number := beyond_float32(tensor)):
        misfit.values.append(f"{name}: {number} of {tensor.size} are too large")
    elif tensor.dtype != dtype:
        misfit.types.append(f"{name}: {tensor.dtype} in the file, {dtype} expected")
    elif number := tensor.size - int(np.isfinite(tensor).sum()):
        misfit.values.append(f"{name}: {number} of {tensor.size} are not finite")
    else:
        return True
    return False


def _check_constant(misfit: Misfit, name: str, tensor: np.ndarray, expected: np.ndarray) -> None:
    if tensor.shape != expected.shape:
        misfit.shapes.append(f"{name}: shape {tensor.shape} in the file, {expected.shape} expected")
    elif tensor.dtype != expected.dtype or not np.array_equal(tensor, expected):
        misfit.constants.append(
            f"{name}: {tensor.tolist()} in the file, {expected.tolist()} expected"
        )


def own_parts(*tables: Table) -> frozenset[str]:
    """The parts of dotted torch names that tables spell out."""
    names = {rule.torch for table in tables for rule in table.rules}
    return frozenset(part for name in names for part in name.split(".") if "{" not in part)


def without_prefix(tensors: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The tensors whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}


def to_torch(variables: Mapping[Path, Any], table: Table) -> dict[str, np.ndarray]:
    """The torch tensors of `variables`, constants included; the exact inverse of `fill`."""
    tensors: dict[str, np.ndarray] = {}
    for path, value in variables.items():
        name, rule = _torch_name(path, table)
        tensors[name] = np.array(rule.transform.to_torch(np.asarray(value)), order="C")
    return tensors | dict(table.constants)


def paths(nested: Mapping[Any, Any]) -> dict[Path, Any]:
    """Nested dictionaries as one, keyed by path."""
    flat: dict[Path, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat.update({(key, *path): leaf for path, leaf in paths(value).items()})
        else:
            flat[(key,)] = value
    return flat


def nest(flat: Mapping[Path, Any]) -> dict[Any, Any]:
    """The inverse of `paths`."""
    nested: dict[Any, Any] = {}
    for path, leaf in flat.items():
        inner = nested
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = leaf
    return nested
