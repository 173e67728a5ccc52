"""Emotion tables: which column is which channel, and the numbers below.

As released: one line with the 25 names in the order of `face.EMOTIONS`, then 25 numbers a line with
commas. Other programs write other orders, further columns, numbers for names or no header at all;
the rules are those of `heading_of`.
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.text import read_text, separator_of
from jaxreact.errors import ShapeError, UserError, reading
from jaxreact.face import EMOTION_CHANNELS, EMOTIONS

_RELEASED = ",".join(EMOTIONS).lower().encode()
_CHANNEL = {name.lower(): channel for channel, name in enumerate(EMOTIONS)}
_INSTEAD = f"name them {EMOTIONS[0]} to {EMOTIONS[-1]} as in docs/real_data.md"


@dataclass(frozen=True)
class Heading:
    """How an emotion table is to be read."""

    columns: tuple[int, ...]
    """Where the 25 channels stand."""
    rows: int = 1
    """Lines above the numbers: 0 where there is no header."""
    doubts: tuple[str, ...] = ()
    """What a user should know of it, without the path."""
    released: bool = False
    """Whether it begins as the released files do: in UTF-8, with the names in their order."""


def heading_of(path: Path) -> Heading:
    """How to read the table in `path`, by its first line that is not empty.

    - All 25 names (whatever their case and spaces; `AU01` is `AU1`): by name, in any order; other
      columns are not read, which is a doubt unless they have no name, as row numbers have not.
    - Numbers alone: there is no header, a doubt; unless they count 0 to 24 or 1 to 25, as pandas
      names columns.
    - Anything else: by position, a doubt, if there are 25 columns besides those without a name and
      none of the known names stands where another belongs.

    Raises `UserError` where names lack or stand twice, and `ShapeError` for another number of
    columns that have no known names.
    """
    with reading(path, "cannot be read"), path.open("rb") as file:
        first = file.readline(len(_RELEASED) + 100)
    if first.replace(b" ", b"").lower() in (_RELEASED + b"\n", _RELEASED + b"\r\n"):
        return Heading(tuple(range(EMOTION_CHANNELS)), released=True)
    fields, _ = _first_line(read_text(path))
    return _understood(path, fields) if fields else Heading(tuple(range(EMOTION_CHANNELS)))


def count_rows(path: Path, heading: Heading) -> int:
    """Lines of numbers in the table, without parsing them."""
    if heading.released:
        with reading(path, "cannot be read"), path.open("rb") as file:
            lines = sum(1 for line in file if line.strip())
    else:
        lines = sum(1 for line in read_text(path).split("\n") if line.strip())
    return max(lines - heading.rows, 0)


def read_emotion(path: Path) -> tuple[Float[np.ndarray, "frames 25"], tuple[str, ...]]:
    """The table, finite or not, in the order of `face.EMOTIONS`, and what is doubtful about it.

    Raises `UserError` as `heading_of` does, and for what is no table of numbers.
    """
    heading = heading_of(path)
    with reading(path, "not a table of numbers"):
        if heading.released:
            table = np.loadtxt(
                path,
                np.float32,
                delimiter=",",
                skiprows=1,
                ndmin=2,
                comments=None,
                encoding="utf-8",
            )
        else:
            table = _read_other(read_text(path), heading)
    if table.size and table.shape[1] != EMOTION_CHANNELS:
        raise ShapeError(f"{path}: {table.shape[1]} columns instead of {EMOTION_CHANNELS}")
    return table.reshape(-1, EMOTION_CHANNELS), heading.doubts


def _first_line(text: str) -> tuple[list[str], str]:
    """Fields of the first line that is not empty, and what separates them."""
    line = next((line for line in text.split("\n") if line.strip()), "")
    separator = separator_of(line)
    return next(csv.reader([line], delimiter=separator), []), separator


def _read_other(text: str, heading: Heading) -> np.ndarray:
    """A table that does not begin as the released ones do."""
    _, separator = _first_line(text)
    if separator != ",":  # then a comma within a number is a decimal one
        text = text.replace(",", ".")
    lines = [line for line in text.split("\n") if line.strip()][heading.rows :]
    if not lines:
        return np.empty((0, EMOTION_CHANNELS), np.float32)
    return np.loadtxt(
        io.StringIO("\n".join(lines)),
        np.float32,
        delimiter=separator,
        usecols=heading.columns,
        ndmin=2,
        comments=None,
        quotechar='"',
    )


def _understood(path: Path, fields: list[str]) -> Heading:
    names = [_simple(field) for field in fields]
    places = [place for place, name in enumerate(names) if name]  # no name: row numbers, or nothing
    numbers = [_number(names[place]) for place in places]
    if places and all(number is not None for number in numbers):
        return _of_numbers(path, numbers, places)
    known = [name for name in names if name in _CHANNEL]
    if twice := sorted({name for name in known if known.count(name) > 1}, key=_CHANNEL.__getitem__):
        raise UserError(f"{path}: the column {_called(twice)} stands twice; remove one of them")
    if len(known) == EMOTION_CHANNELS:
        extra = [fields[place].strip() for place in places if names[place] not in _CHANNEL]
        doubts = (f"further columns are not read: {', '.join(extra)}",) if extra else ()
        return Heading(tuple(names.index(name) for name in _CHANNEL), doubts=doubts)
    return _by_position(path, fields, names, places)


def _of_numbers(path: Path, numbers: list[float | None], places: list[int]) -> Heading:
    """The heading of a table whose first line is numbers: column numbers, or data."""
    if len(places) != EMOTION_CHANNELS:
        raise ShapeError(
            f"{path}: {len(places)} columns, not {EMOTION_CHANNELS}, and no header; {_INSTEAD}"
        )
    if any(numbers == [start + i for i in range(EMOTION_CHANNELS)] for start in (0, 1)):
        return Heading(tuple(places), doubts=("columns have numbers for names: read in order",))
    return Heading(tuple(places), 0, ("no header: its first line is read as a frame",))


def _by_position(path: Path, fields: list[str], names: list[str], places: list[int]) -> Heading:
    """The heading of a table whose header does not hold all 25 names."""
    missing = [name for name in _CHANNEL if name not in names]
    if len(places) != EMOTION_CHANNELS:
        if len(missing) == EMOTION_CHANNELS:
            raise ShapeError(
                f"{path}: {len(places)} columns instead of {EMOTION_CHANNELS}, none of a known name"
                f"; {_INSTEAD}"
            )
        raise UserError(f"{path}: no column {_called(missing)}; {_INSTEAD}")
    for channel, place in enumerate(places):
        if _CHANNEL.get(names[place], channel) != channel:
            raise UserError(
                f"{path}: column {place + 1} is {fields[place].strip()} where "
                f"{EMOTIONS[channel]} belongs, and no column {_called(missing)}; {_INSTEAD}"
            )
    strange = [fields[place].strip() for place in places if names[place] not in _CHANNEL]
    doubt = f"unknown names of columns: read in order ({', '.join(strange[:3])}"
    return Heading(tuple(places), doubts=(doubt + (", ...)" if strange[3:] else ")"),))


def _called(names: list[str]) -> str:
    """Names as they should be written, not too many."""
    shown = [EMOTIONS[_CHANNEL[name]] for name in names[:5]]
    return ", ".join([*shown, "..."] if names[5:] else shown)


def _simple(field: str) -> str:
    """A column's name without what programs write differently: case, spaces, AU01 for AU1."""
    name = "".join(field.split()).lower()
    return re.sub(r"^au0+(?=\d)", "au", name)


def _number(field: str) -> float | None:
    try:
        return float(field.replace(",", "."))
    except ValueError:
        return None
