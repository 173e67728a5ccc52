"""Scores and comparisons as aligned text for a terminal."""

import math
from collections.abc import Mapping, Sequence

from jaxreact.metrics.clipwise import SCORES
from jaxreact.metrics.statistics.comparison import BETTER, Difference
from jaxreact.metrics.statistics.intervals import Interval

_ARROWS = {1: "↑", -1: "↓"}


def score_table(
    found: Mapping[str, Interval],
    baselines: Mapping[str, Mapping[str, float]],
    name: str = "score",
) -> str:
    """One row a score: its value, its interval, and the values of naive baselines.

    `name` is that of what was scored. Arrows tell where better is; "-" stands for what is not
    defined.
    """
    level = next(iter(found.values())).level
    rows = [["", name, f"{100 * level:g} % interval", *baselines]]
    for score in SCORES:
        interval = found[score]
        others = [_number(values[score]) for values in baselines.values()]
        rows.append([labelled(score), _number(interval.value), _range(interval), *others])
    return _aligned(rows)


def comparison_table(found: Mapping[str, Difference]) -> str:
    """One row a score: A, B, the difference with its interval, p-values and the verdict on B."""
    level = next(iter(found.values())).level
    rows = [["", "A", "B", "B - A", f"{100 * level:g} % interval", "p", "p (Holm)", "B is"]]
    for name in SCORES:
        one = found[name]
        values = [_number(one.a), _number(one.b), _number(one.value), _range(one)]
        chances = [_chance(one.p_value), _chance(one.p_adjusted)]
        rows.append([labelled(name), *values, *chances, one.verdict])
    return _aligned(rows)


def labelled(name: str) -> str:
    """A score's name with the arrow that tells where better is, if it has one."""
    return f"{name} {_ARROWS[BETTER[name]]}" if name in BETTER else name


def _range(found: Interval | Difference) -> str:
    if math.isnan(found.low):
        return "-"
    return f"{_number(found.low)} to {_number(found.high)}"


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
