"""What others have published, marked as what it is."""

from html import escape

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.evaluation.report.published_rows import GROUPS, METRICS, NOTES, TRAPS, Group, Row
from jaxreact.html.tables import number, table
from jaxreact.metrics.scores import labelled

_MARKS = dict(zip(NOTES, "abcdefgh", strict=False))


def section(evaluated: Evaluated) -> str:
    """Published rows with their sources and footnotes.

    Folded away where they are of another data set than what was evaluated, open where they are
    not; rows of other years' data are folded away in any case.
    """
    nearest, *others = GROUPS
    if evaluated.simulated:
        summary = "Published scores, all of another data set"
        remark = (
            "What was evaluated here are simulated conversations. No published score was measured"
            " on them, so that none of these rows says how good this model is."
        )
        body = "".join(f"<h3>{escape(group.title)}</h3>{_table(group)}" for group in GROUPS)
        return f"<details><summary>{summary}</summary><p>{remark}</p>{body}{_footnotes()}</details>"
    remark = (
        "Not like for like: read the notes. Of the split that was evaluated here, only rows of the"
        " same data, split, length and clip order are comparable."
    )
    older = "".join(f"<h3>{escape(group.title)}</h3>{_table(group)}" for group in others)
    return (
        f"<h3>Published: {escape(nearest.title)}</h3><p>{remark}</p>{_table(nearest)}"
        f"{_footnotes()}<details><summary>Published on other years' data</summary>{older}</details>"
    )


def _table(group: Group) -> str:
    head = ["", "split", *(labelled(metric) for metric in METRICS), "source"]
    return table(head, [_cells(row) for row in group.rows], "scores")


def _cells(row: Row) -> list[str]:
    marks = "".join(f"<sup>{_MARKS[note]}</sup>" for note in row.notes)
    scores = [_score(row, metric) for metric in METRICS]
    return [f"{escape(row.system)}{marks}", row.split, *scores, escape(row.source)]


def _score(row: Row, metric: str) -> str:
    value = row.scores.get(metric)
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " to ".join(map(number, value))
    return number(value)


def _footnotes() -> str:
    marked = "".join(f"<p><sup>{_MARKS[name]}</sup> {text}</p>" for name, text in NOTES.items())
    traps = "".join(f"<p>{text}</p>" for text in TRAPS)
    return f'<div class="quiet notes">{marked}{traps}</div>'
