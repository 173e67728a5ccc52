"""Scores and comparisons as aligned text for a terminal."""

import math
from collections.abc import Mapping, Sequence

from jaxreact.metrics.score import Score
from jaxreact.metrics.statistics.comparison import Difference
from jaxreact.metrics.statistics.intervals import Interval


def score_table(
    scores: Sequence[Score],
    intervals: Mapping[str, Interval],
    baselines: Mapping[str, Mapping[str, float]],
    name: str = "score",
) -> str:
    """One row a score: its value, its interval, and the values of naive baselines.

    `name` is that of what was scored. Arrows tell where better is; "-" stands for what is not
    defined, or what a baseline has not.
    """
    level = next(iter(intervals.values())).level
    rows = [["", name, f"{100 * level:g} % interval", *baselines]]
    for score in scores:
        interval = intervals[score.name]
        others = [_number(values.get(score.name, math.nan)) for values in baselines.values()]
        rows.append([score.label, _number(interval.value), _range(interval), *others])
    return _aligned(rows)


def comparison_table(scores: Sequence[Score], differences: Mapping[str, Difference]) -> str:
    """One row a score: A, B, the difference with its interval, p-values and the verdict on B."""
    level = next(iter(differences.values())).level
    rows = [["", "A", "B", "B - A", f"{100 * level:g} % interval", "p", "p (Holm)", "B is"]]
    for score in scores:
        difference = differences[score.name]
        values = [_number(value) for value in (difference.a, difference.b, difference.value)]
        chances = [_chance(difference.p_value), _chance(difference.p_adjusted)]
        rows.append([score.label, *values, _range(difference), *chances, difference.verdict])
    return _aligned(rows)


def _range(interval: Interval | Difference) -> str:
    if math.isnan(interval.low):
        return "-"
    return f"{_number(interval.low)} to {_number(interval.high)}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def _chance(p_value: float) -> str:
    return "-" if math.isnan(p_value) else f"{p_value:.4f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right, a rule under the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])
