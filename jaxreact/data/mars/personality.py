"""The persons' Big Five, which MARS of 2026 adds: `<split>/personality/{listener,speaker}.csv`."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.mars.files import ROLES
from jaxreact.data.text import read_rows
from jaxreact.errors import UserError

BIG_FIVE = ("Extraversion", "Agreeableness", "Conscientiousness", "Neuroticism", "Openness")
_LOWEST, _HIGHEST = 1.0, 5.0
_NAME, _SESSION = "video_name", "session"


def personality(root: Path, split: str) -> dict[str, Float[np.ndarray, "5"]]:
    """Name of a clip -> its person's `BIG_FIVE`, scores of 1 to 5 as 0 to 1.

    Empty where there is no such folder. A table without a column `session` speaks of the clips of
    a name in any: they are found below their role's `*`. Raises `UserError` naming the table for
    one that lacks a column, and its row for what is no score of 1 to 5.
    """
    found: dict[str, np.ndarray] = {}
    for role in ROLES:
        path = root / split / "personality" / f"{role}.csv"
        if path.is_file():
            found |= _table(path, role)
    return found


def of_clip(table: dict[str, Float[np.ndarray, "5"]], name: str) -> Float[np.ndarray, "5"] | None:
    """A clip's person, whether the table names sessions or not."""
    session, role, clip = name.split("/")
    return table.get(f"{session}/{role}/{clip}", table.get(f"*/{role}/{clip}"))


def _table(path: Path, role: str) -> dict[str, np.ndarray]:
    header, *rows = read_rows(path) or [[]]
    if lacking := [name for name in (_NAME, *BIG_FIVE) if name not in header]:
        raise UserError(
            f"{path}: no column {', '.join(lacking)} in its first row, {','.join(header)[:200]!r}"
        )
    found = {}
    for number, row in enumerate(rows, start=2):
        fields = dict(zip(header, row, strict=False))
        scores = _scores([fields.get(name, "") for name in BIG_FIVE])
        if scores is None:
            raise UserError(
                f"{path}: row {number} is {','.join(row)[:200]!r}; the Big Five are numbers of 1"
                " to 5"
            )
        session = fields.get(_SESSION, "") or "*"
        session = f"session{session}" if session.isdecimal() else session
        found[f"{session}/{role}/{Path(fields[_NAME]).stem}"] = scores
    return found


def _scores(fields: list[str]) -> np.ndarray | None:
    try:
        scores = np.array([float(field) for field in fields])
    except ValueError:
        return None
    if not ((scores >= _LOWEST) & (scores <= _HIGHEST)).all():
        return None
    return ((scores - _LOWEST) / (_HIGHEST - _LOWEST)).astype(np.float32)
