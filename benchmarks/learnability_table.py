"""Means over seeds with their confidence intervals, and the table of them."""

import math
from typing import Any

import numpy as np

T_975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t at 97.5 % by the number of values."""

NAIVE = ("mime", "random", "mean-sequence", "mean-frame")
COLUMNS = ("model", *NAIVE, "gt")
ROWS = {
    "FRC": 2,
    "FRD": 1,
    "Jitter": 2,
    "FaceJitter": 2,
    "Seams": 2,
    "FaceSeams": 2,
    "Nods": 1,
    "Smiles": 2,
}
"""The scores in the table, and their digits. What emotion alone cannot tell has a "-"."""


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
    merged = _merge([{k: one[k] for k in ("scores", "variety")} for one in found])
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
    """Two markdown tables: the scores of the model and of others, and variety."""
    scores, absent = summary["scores"], {"mean": None, "half_width": None}
    lines = ["", "| | " + " | ".join(COLUMNS) + " | lead |", "|" + " --- |" * (len(COLUMNS) + 2)]
    for name, digits in ROWS.items():
        cells = [_cell(scores[column].get(name, absent), digits) for column in COLUMNS]
        lead = _cell(summary["lead"][name], digits) if name in summary["lead"] else ""
        lines.append(f"| {name} | {' | '.join(cells)} | {lead} |")
    lines += ["", "| | model | truth | chance |", "| --- | --- | --- | --- |"]
    cells = [_cell(summary["variety"][who], 3) for who in ("model", "truth", "chance")]
    lines.append(f"| variety (FRDiv) | {' | '.join(cells)} |")
    return "\n".join(lines)
