"""The numbers of a training report: key facts and tables."""

from typing import Any

import numpy as np

from jaxreact.html.numbers import duration, readable
from jaxreact.training.monitor import naming
from jaxreact.training.monitor.record import Curve, Record

Fact = tuple[str, str | float, str]
"""Name, value and note."""


def facts(record: Record) -> list[Fact]:
    """The handful of numbers that one looks for first."""
    total = f" of {record.total}" if record.total is not None else ""
    first: list[Fact] = [("Steps", f"{record.step}{total}", _parts(record))]
    for metric in ("loss", "accuracy"):
        if curve := record.curves.get(f"validation/{metric}"):
            best, step = curve.best(naming.family_of(metric).greater_is_better)
            first.append((f"Best validation {metric}", best, f"after step {step}"))
    first.append(("Time", duration(record.ended - record.began), "first to last entry"))
    first += _speed(record)
    if record.starts:
        start = record.starts[-1]
        first.append(("Devices", start["device"], _processes(start)))
    return first


def _speed(record: Record) -> list[Fact]:
    """Speed, and how much of the devices it uses: medians."""
    middle = {
        naming.metric_of(tag)[1]: float(np.median(curve.values))
        for tag, curve in record.curves.items()
        if naming.family_of(naming.metric_of(tag)[1]).section == "Speed"
    }
    facts: list[Fact] = []
    steps = middle.get("steps_per_second")
    if "frames_per_second" in middle:
        note = "" if steps is None else f"{readable(steps)} steps/s"
        facts.append(("Frames per second", middle["frames_per_second"], note))
    elif steps is not None:
        facts.append(("Steps per second", steps, "median"))
    if "teraflops_per_second" in middle:
        work = f"{readable(middle['teraflops_per_second'])} TFLOP/s"
        used = middle.get("model_flop_utilisation_percent")
        if used is None:
            facts.append(("Work of models", work, "median"))
        else:
            facts.append(("Model FLOP utilisation", f"{readable(used)} %", work))
    return facts


def _parts(record: Record) -> str:
    resumed = len(record.starts) - 1
    return f"resumed {resumed} time{'s' * (resumed != 1)}" if resumed > 0 else "in one go"


def _processes(start: dict[str, Any]) -> str:
    count = start["processes"]
    return f"{count} process{'es' * (count != 1)}, jax {start['jax']}"


def final_and_best(record: Record) -> list[list[str | float]]:
    """Rows of the metrics that are validated: name, last of both kinds, best of validation."""
    validated = [tag for tag in record.curves if tag.startswith("validation/")]
    headline = [tag for tag in validated if not naming.metric_of(tag)[1].startswith("face/")]
    shown = headline or [tag for tag in ("training/loss",) if tag in record.curves]
    rows = [_row(naming.metric_of(tag)[1], record.curves) for tag in shown]
    return sorted(rows, key=lambda row: row[0] != "loss")


def _row(metric: str, curves: dict[str, Curve]) -> list[str | float]:
    both = [curves.get(f"{kind}/{metric}") for kind in naming.KINDS]
    row = [naming.called(metric), *("" if curve is None else curve.last for curve in both)]
    if curve := curves.get(f"validation/{metric}"):
        best, step = curve.best(naming.family_of(metric).greater_is_better)
        return [*row, best, str(step)]
    return [*row, "", ""]
