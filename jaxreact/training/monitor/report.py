"""`training_report.html`: what a run has come to, in one file that opens anywhere.

`python -m jaxreact.training.monitor.report RUN` writes it, of a run that is going on, too.
"""

import base64
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from jaxreact.commands import run_command
from jaxreact.files import replacing
from jaxreact.html.charts import Figure, Key
from jaxreact.html.numbers import compact_json
from jaxreact.html.page import page
from jaxreact.training.monitor import naming, tables
from jaxreact.training.monitor.chart import Series, line_chart
from jaxreact.training.monitor.record import Record, read_record

NAME = "training_report.html"


def write_training_report(run_dir: str | Path) -> Path:
    """Writes `training_report.html` into a run directory, and returns its path.

    Configuration, final and best numbers, curves and the latest pictures, as far as the run has
    come. The page needs no network and no script. Raises `UserError` for a directory that holds no
    training (see `read_record`).
    """
    record = read_record(run_dir)
    with replacing(Path(run_dir) / NAME) as path:
        path.write_text(page("training/monitor/report.html.j2", contents(record)), "utf-8")
    return Path(run_dir) / NAME


@dataclass(frozen=True)
class Section:
    """Charts of metrics that belong together, and (name, value) of those that never changed."""

    title: str
    charts: Sequence[Figure]
    constant: Sequence[tuple[str, float]]


def contents(record: Record) -> dict[str, Any]:
    """Everything that the page shows, for its template."""
    kind, name = str(record.config.get("kind", "model")), record.directory.resolve().name
    return {
        "title": f"{name}: training of a {kind}",
        "name": name,
        "kind": kind,
        "record": record,
        "now": time.time(),
        "status": _status(record),
        "facts": tables.facts(record),
        "rows": tables.final_and_best(record),
        "sections": list(_sections(record)),
        "resumed": bool(_resumed(record)),
        "pictures": [
            (
                f"{name.replace('_', ' ')}, after step {picture.step}",
                base64.b64encode(picture.png).decode(),
            )
            for name, picture in record.pictures.items()
        ],
        "config": compact_json(record.config),
    }


def _sections(record: Record) -> Iterator[Section]:
    """Known sections in their order, others behind them; in the first the plain loss is first."""
    metrics = {naming.metric_of(tag)[1] for tag in record.curves}
    by_title: dict[str, list[str]] = {}
    for metric in sorted(metrics, key=lambda metric: (metric != "loss", metric)):
        by_title.setdefault(naming.family_of(metric).section, []).append(metric)
    known = [title for title in naming.SECTIONS if title in by_title]
    for title in (*known, *sorted(set(by_title) - set(known))):
        curves = {metric: _series(record, metric) for metric in by_title[title]}
        constant = {
            metric: float(series[0].curve.values[0])
            for metric, series in curves.items()
            if _never_changed(series)
        }
        yield Section(
            title,
            [_chart(record, m, series) for m, series in curves.items() if m not in constant],
            [(naming.called(metric), value) for metric, value in constant.items()],
        )


def _series(record: Record, name: str) -> list[Series]:
    """The curves of a metric: of training, of validation, or both."""
    return [
        Series(kind, curve, naming.family_of(name).noisy)
        for tag, curve in record.curves.items()
        for kind, metric in [naming.metric_of(tag)]
        if metric == name
    ]


def _never_changed(series: Sequence[Series]) -> bool:
    values = np.concatenate([each.curve.values for each in series])
    return len(values) > 1 and bool(np.ptp(values) == 0)


def _chart(record: Record, name: str, series: Sequence[Series]) -> Figure:
    """A figure with its legend; the loss is large where the screen is."""
    keys = []
    for each in series:
        curve, kind = each.curve, each.kind if each.kind in naming.KINDS else ""
        lost = f", {curve.lost} not finite" if curve.lost else ""
        keys.append(Key(each.kind, kind, curve.last, lost))
    wide, family = name == "loss", naming.family_of(name)
    sizes = {"small": (380, 210)} | ({"large": (780, 480)} if wide else {})
    drawings = [
        line_chart(
            series,
            f"{naming.called(name)} over steps",
            log=family.log,
            from_zero=family.from_zero,
            size=size,
            marks=_resumed(record),
            style=style,
        )
        for style, size in sizes.items()
    ]
    return Figure(naming.called(name), drawings, keys, wide=wide)


def _resumed(record: Record) -> list[int]:
    """Steps after which the run was resumed."""
    return [start["start"] for start in record.starts[1:]]


def _status(record: Record) -> tuple[str, str]:
    """How the run stands: a CSS class and a sentence."""
    if record.finished:
        return "good", "Finished."
    if record.stopped:
        return "warn", f"Stopped after step {record.stopped['step']}: {record.stopped['reason']}"
    if record.total is not None:
        return "warn", f"Not finished: step {record.step} of {record.total}."
    return "", f"The last entry is of step {record.step}."


@dataclass(frozen=True)
class Report:
    """Writes training_report.html into run directories, finished or not."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run directories: what a training's --out was."""


def main() -> None:
    """Parses the command line and writes the reports."""
    for directory in tyro.cli(Report, prog="python -m jaxreact.training.monitor.report").runs:
        print(write_training_report(directory))


if __name__ == "__main__":
    run_command(main)
