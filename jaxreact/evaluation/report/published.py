"""What others have published, marked as what it is."""

from typing import Any

from jaxreact.evaluation.report.published_rows import GROUPS, METRICS, NOTES, TRAPS, Row, Score
from jaxreact.metrics.scores import labelled

_MARKS = dict(zip(NOTES, "abcdefgh", strict=False))


def section(release: str = "") -> dict[str, Any]:
    """Published rows with their sources and footnotes, by data set, the nearest first: that of the
    `release`, if there are rows of it, then in the file's order."""
    groups = sorted(GROUPS, key=lambda group: release not in group.title)
    return {
        "labels": ["", "split", *map(labelled, METRICS), "source"],
        "groups": [(group.title, [_cells(row) for row in group.rows]) for group in groups],
        "notes": [(_MARKS[name], text) for name, text in NOTES.items()],
        "traps": TRAPS,
    }


def _cells(row: Row) -> dict[str, Any]:
    return {
        "system": row.system,
        "marks": [_MARKS[note] for note in row.notes],
        "split": row.split,
        "scores": [_ends(row.scores.get(metric)) for metric in METRICS],
        "source": row.source,
    }


def _ends(score: Score | None) -> tuple[float, ...]:
    """No number, one, or the two ends of a range."""
    if score is None:
        return ()
    return score if isinstance(score, tuple) else (score,)
