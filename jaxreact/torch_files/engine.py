"""Moves tensors between torch names and this project's variables, strict both ways.

A table is a list of rules; each names a torch key and a variable by templates and the transform
between their arrays. In a template `{x}` stands for part of one dotted name, `{x...}` for one or
more whole names; the same word stands for the same text on both sides. The first rule that matches
decides, in either direction, so that one table serves conversion and the way back.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from jaxreact.errors import UserError

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
    are checked on the way in and written on the way back.
    """

    rules: tuple[Rule, ...]
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()


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

    Raises UserError, naming `source` and listing every offender, `prefix` before its name: a key
    that is neither placed nor ignored, a variable that stays empty, a shape (both given) or dtype
    that differs, a constant with another value than the configuration says.
    """
    places = {
        name: (path, rule, abstract[path])
        for path in abstract
        for name, rule in [_torch_name(path, table)]
    }
    filled: dict[Path, np.ndarray] = {}
    offenders: list[str] = []
    for name, tensor in split_ignored(tensors, table)[0].items():
        if name in table.constants:
            offenders += _constant_offence(name, tensor, table.constants[name])
        elif name not in places:
            offenders.append(f"{name}: unknown key, {tensor.shape}")
        else:
            path, rule, leaf = places[name]
            shape = np.shape(rule.transform.to_torch(np.broadcast_to(0, leaf.shape)))
            if tensor.shape != shape:
                offenders.append(f"{name}: shape {tensor.shape} in the file, {shape} expected")
            elif tensor.dtype != leaf.dtype:
                offenders.append(f"{name}: {tensor.dtype} in the file, {leaf.dtype} expected")
            else:
                filled[path] = np.array(rule.transform.to_jax(tensor), order="C")
    for name in (*places, *table.constants):
        if name not in tensors:
            offenders.append(f"{name}: missing from the file")
    if offenders:
        raise UserError(
            f"{source}: {len(offenders)} tensors do not fit the configuration; is it this model's? "
            + "; ".join(prefix + offender for offender in sorted(offenders))
        )
    return filled


def _constant_offence(name: str, tensor: np.ndarray, expected: np.ndarray) -> list[str]:
    if tensor.shape != expected.shape:
        return [f"{name}: shape {tensor.shape} in the file, {expected.shape} expected"]
    if tensor.dtype != expected.dtype or not np.array_equal(tensor, expected):
        return [f"{name}: {tensor.tolist()} in the file, {expected.tolist()} expected"]
    return []


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
