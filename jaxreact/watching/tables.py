"""The numbers of a training report: key facts, tables, the configuration."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from jaxreact.watching import naming
from jaxreact.watching.record import Curve, Record


def number(value: float) -> str:
    """A number as HTML: four digits to read, all of them in the `value` of its element."""
    shown = f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"
    return f'<data value="{float(value)!r}">{shown}</data>'


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((i for i, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])


def facts(record: Record) -> str:
    """The handful of numbers that one looks for first."""
    total = f" of {record.total}" if record.total is not None else ""
    found = [("Steps", f"{record.step}{total}", _parts(record))]
    for metric in ("loss", "accuracy"):
        curve = record.curves.get(f"validation/{metric}")
        if curve:
            best, step = curve.best(naming.greater_is_better(metric))
            found.append((f"Best validation {metric}", number(best), f"after step {step}"))
    found += [("Time", duration(record.ended - record.began), "first to last entry")]
    found += _speed(record)
    if record.starts:
        start = record.starts[-1]
        found.append(("Devices", escape(start["device"]), _processes(start)))
    cards = (
        f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>"
        for name, value, note in found
    )
    return f'<dl class="facts">{"".join(cards)}</dl>'


def _speed(record: Record) -> list[tuple[str, str, str]]:
    """Speed, and how much of the devices it uses: medians."""
    middle = {
        naming.metric_of(tag)[1]: float(np.median(curve.values))
        for tag, curve in record.curves.items()
        if naming.section_of(naming.metric_of(tag)[1]) == "Speed"
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
    return _table(head, sorted(rows, key=lambda row: row[0] != "loss"))


def _row(metric: str, curves: dict[str, Curve]) -> list[str]:
    row = [escape(naming.called(metric))]
    row += [
        number(curves[f"{kind}/{metric}"].last) if f"{kind}/{metric}" in curves else ""
        for kind in naming.KINDS
    ]
    if curve := curves.get(f"validation/{metric}"):
        best, step = curve.best(naming.greater_is_better(metric))
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
    return f"<details><summary>All values</summary>{_table(head, rows)}</details>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of HTML cells; the first of each row names it."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="table"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def compact_json(value: Any, indent: str = "") -> str:
    """JSON with one key a line and every list in one."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    deeper = indent + "  "
    entries = [f"{deeper}{json.dumps(k)}: {compact_json(v, deeper)}" for k, v in value.items()]
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
