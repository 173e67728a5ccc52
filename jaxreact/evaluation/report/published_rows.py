"""Scores that others have published, as facts with their sources; none was measured here.

They stand in published.csv. `notes` of a row are keys of `NOTES`. Cells that a source does not give
are empty. FRC and FRD are sums over ten predictions unless the row's system says otherwise.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from jaxreact.html.page import asset

Score = float | tuple[float, float]
"""A value, or the range of several systems."""


@dataclass(frozen=True)
class Row:
    """A system's scores on a split, and where they were read."""

    system: str
    split: str
    source: str
    scores: dict[str, Score]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Rows of one data set, `title`; only those of the same data set can be compared at all."""

    title: str
    rows: tuple[Row, ...]


METRICS = ("FRC", "FRD", "FRDiv", "FRVar", "FRDvs", "FRRea", "FRSyn")

NOTES = {
    "order": "Scored in the original's clip order: its ten reactions to a speaker are reactions to"
    " ten different speakers, and FRDiv equals FRDvs for that reason. 736 frames a clip.",
    "columns": "FRDiv and FRDvs may be exchanged or miscopied in the source, whose header orders"
    " them otherwise than the program that prints them; ten copies, as Mime's, have FRDiv 0.",
    "third": "A third party's reproduction, not the authors' own numbers.",
    "abstract": "Read in a summary of the paper, not in its tables.",
    "mars": "On a scale of its own, that of no other table: clips of 58 to more than 20,000 frames,"
    " 30 a second, each compared with ten listeners of its session that are drawn at random and"
    " brought to its length by a network that draws noise.",
    "copies": "Ten copies of one deterministic reaction, with no diversity at all, have the highest"
    " FRC of this table and all but the lowest FRD: these two do not tell who listens better.",
    "entrant": "An entrant's own audit, nothing official.",
    "samples": "Five samples a clip instead of ten, so that FRC and FRD are other sums.",
}

TRAPS = (
    "736 frames (FaceAIS) or 750 (the challenge): FRD grows with the length.",
    "FRSyn is 49 for every sample with a constant channel, and only each clip's first sample is"
    " looked at; values near 49 say little. Mode corrected does neither.",
    "FRC and FRD of the challenge count a clip without neighbours as 0; mode corrected leaves it"
    " out.",
    "ReactFace, and apparently ReactDiff, score 58 coefficients instead of 25 emotion channels with"
    " their own neighbours; PerFRDiff uses neighbours masked by person. They are not in the table.",
    "FRRea depends on the tool, on which frames are taken, and on how many.",
)


def _read() -> Iterator[Group]:
    table = csv.DictReader(asset("evaluation/report/published.csv").splitlines())
    for title, rows in groupby(table, lambda row: row["data"]):
        yield Group(title, tuple(map(_row, rows)))


def _row(cells: dict[str, str]) -> Row:
    scores = {name: _score(cells[name]) for name in METRICS if cells[name]}
    notes = tuple(cells["notes"].split())
    return Row(cells["system"], cells["split"], cells["source"], scores, notes)


def _score(cell: str) -> Score:
    low, _, high = cell.partition(" to ")
    return (float(low), float(high)) if high else float(low)


GROUPS = tuple(_read())
