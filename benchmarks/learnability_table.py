"""Means over seeds with their confidence intervals, and the table of them."""

import math
from typing import Any

import numpy as np

T_975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t at 97.5 % by the number of values."""

NAIVE = ("mime", "random", "mean-sequence", "mean-frame")
COLUMNS = ("model", *NAIVE, "gt")


def interval(values: list[float | None]) -> dict[str, float | None]:
    """Mean and half-width of its 95 % interval; None where a value is not defined."""
    known = np.array([math.nan if value is None else value for value in values], float)
    if not np.isfinite(known).all():
        return {"mean": None, "half_width": None}
    count = len(known)
    half = T_975.get(count, 1.96) * known.std(ddof=1) / math.sqrt(count)
    return {"mean": float(known.mean()), "half_width": float(half)}


def intervals(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The interval of every figure, and of the model's lead over the best naive baseline.

    A lead is positive where the model is better; it is taken within each seed, whose baselines are
    those of its own conversations.
    """
    merged = _merge([{k: one[k] for k in ("scores", "behaviour", "variety")} for one in found])
    best = {"FRC": max, "FRD": min}
    sign = {"FRC": 1, "FRD": -1}
    merged["lead"] = {
        name: interval(
            [
                sign[name]
                * (
                    one["scores"]["model"][name]
                    - best[name](one["scores"][other][name] for other in NAIVE)
                )
                for one in found
            ]
        )
        for name in best
    }
    return merged


def _merge(trees: list[Any]) -> Any:
    if isinstance(trees[0], dict):
        return {name: _merge([tree[name] for tree in trees]) for name in trees[0]}
    return interval(trees)


def _cell(value: dict[str, float | None], digits: int = 2) -> str:
    mean, half = value["mean"], value["half_width"]
    return "-" if mean is None else f"{mean:.{digits}f} ± {half:.{digits}f}"


def table(summary: dict[str, Any]) -> str:
    """Three markdown tables: scores, behaviour, variety."""
    scores, behaviour = summary["scores"], summary["behaviour"]
    lines = ["", "| | " + " | ".join(COLUMNS) + " | lead |", "|" + " --- |" * (len(COLUMNS) + 2)]
    for name, digits in (("FRC", 2), ("FRD", 1)):
        cells = [_cell(scores[column][name], digits) for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} | {_cell(summary['lead'][name], digits)} |")
    lines += ["", "| | model | truth | chance |", "| --- | --- | --- | --- |"]
    nods = [_cell(behaviour[who][what], 1) for who, what in _NODS]
    lines.append(f"| nods a minute after pauses | {' | '.join(nods)} |")
    for name, what in (
        ("smile_correlation", "mirrored smiles, correlation"),
        ("smile_lag", "lag, s"),
    ):
        cells = [_cell(behaviour[who][name]) for who in ("model", "truth", "chance")]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    cells = [_cell(summary["variety"][who], 3) for who in ("model", "truth", "chance")]
    lines.append(f"| variety (FRDiv) | {' | '.join(cells)} |")
    return "\n".join(lines)


_NODS = (("model", "nods"), ("truth", "nods"), ("model", "nods_chance"))
