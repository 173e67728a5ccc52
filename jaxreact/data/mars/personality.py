"""The persons' Big Five, which MARS of 2026 adds: `<split>/personality/{listener,speaker}.csv`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.mars.files import ROLES
from jaxreact.data.text import read_rows
from jaxreact.errors import UserError

BIG_FIVE = ("Extraversion", "Agreeableness", "Conscientiousness", "Neuroticism", "Openness")
_LOWEST, _HIGHEST = 1.0, 5.0
_NAME, _SESSION = "video_name", "session"


@dataclass(frozen=True)
class Persons:
    """What the tables of a split say."""

    scores: Mapping[str, Float[np.ndarray, "5"]]
    """Name of a clip -> its person's `BIG_FIVE`, scores of 1 to 5 as 0 to 1. What a table without a
    column `session` says is of the clips of a name in any: below their role's `*`."""
    doubts: tuple[str, ...] = ()
    """Rows and tables that cannot be used, whose persons are unknown: a line each, which names the
    table."""

    def of_clip(self, name: str) -> Float[np.ndarray, "5"] | None:
        """A clip's person, whether the table names sessions or not."""
        session, role, clip = name.split("/")
        return self.scores.get(f"{session}/{role}/{clip}", self.scores.get(f"*/{role}/{clip}"))


def personality(root: Path, split: str, names: Iterable[str] = ()) -> Persons:
    """The persons of a split, whose clips have these names; nobody where there is no such folder.

    What cannot be used is a doubt: a table that cannot be read, a row, and one that names no
    session where several have a clip of its name.
    """
    scores: dict[str, np.ndarray] = {}
    doubts: list[str] = []
    for role in ROLES:
        path = root / split / "personality" / f"{role}.csv"
        if not path.exists():
            continue
        try:
            found = _table(path, role)
        except UserError as error:
            doubts.append(f"{error}: nobody's scores are used")
            continue
        scores |= found.scores
        doubts += found.doubts
    sessions = Counter(f"*/{name.split('/', 1)[1]}" for name in names)
    for name in [name for name in scores if sessions[name] > 1]:
        del scores[name]
        _, role, clip = name.split("/")
        doubts.append(
            f"{root / split / 'personality' / role}.csv: {clip} stands in {sessions[name]}"
            " sessions, and its row names none: these persons are unknown"
        )
    return Persons(scores, tuple(doubts))


def _table(path: Path, role: str) -> Persons:
    header, *rows = read_rows(path) or [[]]
    if lacking := [name for name in (_NAME, *BIG_FIVE) if name not in header]:
        raise UserError(
            f"{path}: no column {', '.join(lacking)} in its first row, {','.join(header)[:200]!r}"
        )
    found: dict[str, np.ndarray] = {}
    doubts: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        fields = dict(zip(header, row, strict=False))
        session = fields.get(_SESSION, "") or "*"
        session = f"session{session}" if session.isdecimal() else session
        name = f"{session}/{role}/{Path(fields.get(_NAME, '')).stem}"
        scores = _scores([fields.get(column, "") for column in BIG_FIVE])
        if scores is None:
            doubts[name] = (
                f"{path}: row {number} is {','.join(row)[:200]!r}; the Big Five are numbers of 1 to"
                " 5: that person is unknown"
            )
        elif not np.array_equal(found.get(name, scores), scores):
            doubts[name] = f"{path}: row {number} contradicts another of {name}, who is unknown"
        else:
            found[name] = scores
    known = {name: scores for name, scores in found.items() if name not in doubts}
    return Persons(known, tuple(doubts.values()))


def _scores(fields: list[str]) -> np.ndarray | None:
    try:
        scores = np.array([float(field) for field in fields])
    except ValueError:
        return None
    if not ((scores >= _LOWEST) & (scores <= _HIGHEST)).all():
        return None
    return ((scores - _LOWEST) / (_HIGHEST - _LOWEST)).astype(np.float32)
