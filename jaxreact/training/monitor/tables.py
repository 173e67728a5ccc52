"""The numbers of a training report: key facts and tables."""

from html import escape
from typing import Any

import numpy as np

from jaxreact.html.tables import cards, duration, number, table
from jaxreact.training.monitor import naming
from jaxreact.training.monitor.record import Curve, Record


def facts(record: Record) -> str:
    """The handful of numbers that one looks for first."""
    total = f" of {record.total}" if record.total is not None else ""
    found = [("Steps", f"{record.step}{total}", _parts(record))]
    for metric in ("loss", "accuracy"):
        curve = record.curves.get(f"validation/{metric}")
        if curve:
            best, step = curve.best(naming.family_of(metric).greater_is_better)
            found.append((f"Best validation {metric}", number(best), f"after step {step}"))
    found += [("Time", duration(record.ended - record.began), "first to last entry")]
    found += _speed(record)
    if record.starts:
        start = record.starts[-1]
        found.append(("Devices", escape(start["device"]), _processes(start)))
    return cards(found)


def _speed(record: Record) -> list[tuple[str, str, str]]:
    """Speed, and how much of the devices it uses: medians."""
    middle = {
        naming.metric_of(tag)[1]: float(np.median(curve.values))
        for tag, curve in record.curves.items()
        if naming.family_of(naming.metric_of(tag)[1]).section == "Speed"
    }
    found = []
    steps = f"{number(middle['steps_per_second'])} steps/s" if "steps_per_second" in middle else ""
    if "frames_per_second" in middle:
        found.append(("Frames per second", number(middle["frames_per_second"]), steps))
    elif steps:
        found.append(("Steps per second", number(middle["steps_per_second"]), "median"))
    if "teraflops_per_second" in middle:
        work = f"{number(middle['teraflops_per_second'])} TFLOP/s"
        used = middle.get("model_flop_utilisation_percent")
        if used is None:
            found.append(("Work of models", work, "median"))
        else:
            found.append(("Model FLOP utilisation", f"{number(used)} %", work))
    return found


def _parts(record: Record) -> str:
    resumed = len(record.starts) - 1
    return f"resumed {resumed} time{'s' * (resumed != 1)}" if resumed > 0 else "in one go"


def _processes(start: dict[str, Any]) -> str:
    count = start["processes"]
    return f"{count} process{'es' * (count != 1)}, jax {escape(start['jax'])}"


def final_and_best(record: Record) -> str:
    """A table of the metrics that are validated: last of both kinds, best of validation."""
    rows = []
    validated = [tag for tag in record.curves if tag.startswith("validation/")]
    headline = [tag for tag in validated if not naming.metric_of(tag)[1].startswith("face/")]
    for tag in headline or [tag for tag in ("training/loss",) if tag in record.curves]:
        metric = naming.metric_of(tag)[1]
        rows.append(_row(metric, record.curves))
    head = ("", "training, last", "validation, last", "validation, best", "after step")
    return table(head, sorted(rows, key=lambda row: row[0] != "loss"))


def _row(metric: str, curves: dict[str, Curve]) -> list[str]:
    row = [escape(naming.called(metric))]
    row += [
        number(curves[f"{kind}/{metric}"].last) if f"{kind}/{metric}" in curves else ""
        for kind in naming.KINDS
    ]
    if curve := curves.get(f"validation/{metric}"):
        best, step = curve.best(naming.family_of(metric).greater_is_better)
        return [*row, number(best), str(step)]
    return [*row, "", ""]


def all_values(record: Record) -> str:
    """A collapsed table of every tag: last, lowest and highest value."""
    rows = [
        [
            f"<code>{escape(tag)}</code>",
            number(curve.last),
            number(curve.values.min()),
            number(curve.values.max()),
            str(len(curve.values)),
            str(curve.steps[-1]),
        ]
        for tag, curve in record.curves.items()
    ]
    head = ("tag", "last", "lowest", "highest", "entries", "last step")
    return f"<details><summary>All values</summary>{table(head, rows)}</details>"
