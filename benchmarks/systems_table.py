"""The table of `benchmarks/systems.py` as markdown."""

import math
from collections.abc import Sequence
from typing import Any

from learnability_table import interval
from systems_rows import NAIVE, PUBLISHED, ROWS, SCORES

_DIGITS = {"FRC": 2, "FRD": 1, "FRDvs": 4, "FRVar": 4, "FRDiv": 4, "FRSyn": 1}


def table(worlds: Sequence[dict[str, Any]]) -> str:
    """Scores, costs, and the published values of other data.

    In one world a score stands with its 95 % interval over other conversations; of several worlds
    it is their mean with the interval of the mean (Student's t).
    """
    naive = [(label, _naive(worlds, name)) for name, label in NAIVE.items()]
    learned = [(row.label, _learned(worlds, row.label)) for row in ROWS]
    lines = _header(["", *SCORES])
    lines += [_line([label, *cells]) for label, cells in (*naive, *learned)]
    lines += ["", *_header(["", "training, s", "GiB", "generation, s", "GiB", "parameters"])]
    lines += [_line([row.label, *_costs(worlds, row.label)]) for row in ROWS]
    lines += ["", "Published, of REACT2024's validation split: other data, other pictures.", ""]
    lines += _header(["", *SCORES])
    lines += [_line([label, *map("{:g}".format, values)]) for label, values in PUBLISHED.items()]
    return "\n".join(lines)


def _header(cells: Sequence[str]) -> list[str]:
    return [_line(cells), "|" + " --- |" * len(cells)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _naive(worlds: Sequence[dict[str, Any]], name: str) -> list[str]:
    values = [world["baselines"][name] for world in worlds]
    return [_cell([value[score] for value in values], None, _DIGITS[score]) for score in SCORES]


def _learned(worlds: Sequence[dict[str, Any]], label: str) -> list[str]:
    rows = [world["rows"][label] for world in worlds]
    return [
        _cell(
            [row["scores"][score] for row in rows],
            rows[0]["intervals"][score] if len(rows) == 1 else None,
            _DIGITS[score],
        )
        for score in SCORES
    ]


def _cell(values: list[float | None], ends: Sequence[float | None] | None, digits: int) -> str:
    """A value and its interval: the given `ends`, or that of the mean of several values."""
    if any(value is None or not math.isfinite(value) for value in values):
        return "-"
    if len(values) > 1:
        found = interval(values)
        return f"{found['mean']:.{digits}f} ± {found['half_width']:.{digits}f}"
    (value,) = values
    if ends is None or None in ends:
        return f"{value:.{digits}f}"
    low, high = ends
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _costs(worlds: Sequence[dict[str, Any]], label: str) -> list[str]:
    """Of the first world: all are alike in size."""
    row = worlds[0]["rows"][label]
    return [
        f"{row['training_s']:.0f}",
        f"{row['training_peak_gib']:.1f}",
        f"{row['generation_s']:.0f}",
        f"{row['generation_peak_gib']:.1f}",
        f"{row['parameters']:,}",
    ]
