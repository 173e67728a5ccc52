"""`clip_scores.csv`: the scores clip by clip, for the report and for everybody's spreadsheet."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.text import read_rows
from jaxreact.errors import reading
from jaxreact.files import replacing
from jaxreact.metrics import CHALLENGE, NAMES, SCORES, ClipScores

NAME = "clip_scores.csv"


@dataclass(frozen=True)
class ClipTable:
    """What each clip adds to the scores; NaN where it takes no part in one."""

    clips: tuple[str, ...]
    values: Mapping[str, Float[np.ndarray, "clips"]]
    """By the names of scores, in their order."""

    def __len__(self) -> int:
        return len(self.clips)

    def ranking(self, metric: str, best_is_greatest: bool) -> list[int]:
        """Clips that have the score, the best first; equal ones in their order."""
        values = self.values[metric] * (-1 if best_is_greatest else 1)
        return [
            int(clip) for clip in np.argsort(values, kind="stable") if values[clip] == values[clip]
        ]

    def fits(self, clips: Sequence[str], scores: Mapping[str, float]) -> bool:
        """Whether it belongs to the evaluation of these clips that gave these scores."""
        if tuple(clips) != self.clips or self.values.keys() != scores.keys():
            return False
        means = [score.name for score in SCORES if score.plain_mean and score.name in self.values]
        pairs = [(_mean(self.values[name]), scores[name]) for name in means]
        return all(
            (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)
            for a, b in pairs
        )


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def table_of(clips: Sequence[str], scores: ClipScores) -> ClipTable:
    """The table of scores that are at hand."""
    return ClipTable(
        tuple(clips), {score.name: scores[score.name].values for score in scores.scores}
    )


def write_clip_table(path: Path, table: ClipTable) -> None:
    """Writes a CSV of a row a clip: its name and scores, empty where there is none."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", *table.values])
        for index, clip in enumerate(table.clips):
            row = [float(values[index]) for values in table.values.values()]
            writer.writerow([clip, *("" if math.isnan(value) else repr(value) for value in row)])


def read_clip_table(path: Path) -> ClipTable:
    """Reads what `write_clip_table` wrote: the challenge's scores, and others that there are.

    Raises `UserError` for anything else.
    """
    with reading(path, "not a table of clip scores", "remove it to compute them again"):
        head, *rows = read_rows(path)
        columns = list(zip(*rows, strict=True))
        names = [name for name in NAMES if name in head]
        known = {score.name for score in CHALLENGE} <= {*names}
        if not known or head != ["clip", *names] or len(columns) != len(head):
            raise ValueError("other columns")
        values = [np.array([float(cell or "nan") for cell in column]) for column in columns[1:]]
    return ClipTable(columns[0], dict(zip(names, values, strict=True)))
