"""`training_report.html`: what a run has come to, in one file that opens anywhere.

`python -m jaxreact.training.monitor.report RUN` writes it, of a run that is going on, too.
"""

import base64
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import numpy as np
import tyro

from jaxreact.errors import run_command
from jaxreact.files import replacing
from jaxreact.html.figures import figure, key
from jaxreact.html.page import asset, document
from jaxreact.html.tables import compact_json, number
from jaxreact.training.monitor import naming, tables
from jaxreact.training.monitor.chart import Series, line_chart
from jaxreact.training.monitor.record import Picture, Record, read_record

NAME = "training_report.html"


def write_training_report(run_dir: str | Path) -> Path:
    """Writes `training_report.html` into a run directory, and returns its path.

    Configuration, final and best numbers, curves and the latest pictures, as far as the run has
    come. The page needs no network and no script. Raises `UserError` for a directory that holds no
    training (see `read_record`).
    """
    record = read_record(run_dir)
    with replacing(Path(run_dir) / NAME) as path:
        path.write_text(page(record), encoding="utf-8")
    return Path(run_dir) / NAME


def page(record: Record) -> str:
    """The whole page."""
    kind = str(record.config.get("kind", "model"))
    name = record.directory.resolve().name
    header = f"""<h1>{escape(name)}</h1>
<p class="quiet">Training of a {escape(kind)}. {_when(record)}</p>
{_status(record)}
{tables.facts(record)}"""
    return document(
        f"{name}: training of a {kind}",
        header,
        "".join(_body(record)),
        style=asset("jaxreact.training.monitor", "report.css"),
    )


def _body(record: Record) -> Iterator[str]:
    if record.curves:
        yield "<h2>Final and best</h2>" + tables.final_and_best(record)
    else:
        yield '<p class="quiet">No step has been logged yet.</p>'
    sections = _by_section(record)
    titles = [title for title in naming.SECTIONS if title in sections]
    titles += sorted(set(sections) - set(titles))
    for title in titles[:1]:
        yield _section(record, title, sections[title], _explanation(record))
    if record.pictures:
        yield "<section><h2>Pictures</h2>"
        yield from (_picture(name, picture) for name, picture in record.pictures.items())
        yield "</section>"
    for title in titles[1:]:
        yield _section(record, title, sections[title])
    if record.curves:
        yield tables.all_values(record)
    shown = compact_json(record.config)
    yield f"<details><summary>Configuration</summary><pre>{escape(shown)}</pre></details>"


def _explanation(record: Record) -> str:
    lines = (
        "All curves are over update steps. Thin lines are what was logged, thick ones their running"
        " mean; short curves have a dot for each entry."
    )
    resumed = " At dotted lines the run was resumed." if _resumed(record) else ""
    return f'<p class="quiet">{lines}{resumed}</p>'


def _by_section(record: Record) -> dict[str, list[str]]:
    """Metrics by the title of their section, the plain loss first."""
    names = sorted({naming.metric_of(tag)[1] for tag in record.curves})
    found: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: name != "loss"):
        found.setdefault(naming.family_of(name).section, []).append(name)
    return found


def _section(record: Record, title: str, names: Sequence[str], remark: str = "") -> str:
    charts, constant = [], []
    for name in names:
        series = _series(record, name)
        values = np.concatenate([one.curve.values for one in series])
        if len(values) > 1 and np.ptp(values) == 0:
            constant.append(f"{escape(naming.called(name))} {number(values[0])}")
        else:
            charts.append(_chart(record, name, series))
    note = f'<p class="quiet">Constant: {", ".join(constant)}.</p>' if constant else ""
    grid = f'<div class="charts">{"".join(charts)}</div>' if charts else ""
    return f"<section><h2>{escape(title)}</h2>{remark}{grid}{note}</section>"


def _series(record: Record, name: str) -> list[Series]:
    """The curves of a metric: of training, of validation, or both."""
    return [
        Series(kind, curve, naming.family_of(name).noisy)
        for tag, curve in record.curves.items()
        for kind, metric in [naming.metric_of(tag)]
        if metric == name
    ]


def _chart(record: Record, name: str, series: Sequence[Series]) -> str:
    """A figure with its legend; the loss is large where the screen is."""
    keys = []
    for one in series:
        lost = f", {one.curve.lost} not finite" if one.curve.lost else ""
        kind = one.kind if one.kind in naming.KINDS else ""
        value = number(one.curve.last)
        keys.append(key(one.kind, f"{kind} {value}{lost}"))
    wide = name == "loss"
    sizes = {"small": (380, 210)} | ({"large": (780, 480)} if wide else {})
    drawings = [
        line_chart(
            series,
            f"{naming.called(name)} over steps",
            log=naming.family_of(name).log,
            from_zero=naming.family_of(name).from_zero,
            size=size,
            marks=_resumed(record),
            style=style,
        )
        for style, size in sizes.items()
    ]
    return figure(naming.called(name), keys, drawings, wide)


def _resumed(record: Record) -> list[int]:
    """Steps after which the run was resumed."""
    return [start["start"] for start in record.starts[1:]]


def _picture(name: str, picture: Picture) -> str:
    data = base64.b64encode(picture.png).decode()
    label = f"{escape(name.replace('_', ' '))}, after step {picture.step}"
    return (
        f'<figure class="picture"><div><img src="data:image/png;base64,{data}" alt="{label}"></div>'
        f'<figcaption class="quiet">{label}</figcaption></figure>'
    )


def _when(record: Record) -> str:
    began, ended, now = (_time(at) for at in (record.began, record.ended, time.time()))
    return f"Began {began}, last entry {ended}, report of {now}."


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%Y-%m-%d %H:%M} UTC</time>'


def _status(record: Record) -> str:
    if record.finished:
        kind, text = "good", "Finished."
    elif record.stopped:
        step, reason = record.stopped["step"], record.stopped["reason"]
        kind, text = "warn", f"Stopped after step {step}: {reason}"
    elif record.total is not None:
        kind, text = "warn", f"Not finished: step {record.step} of {record.total}."
    else:
        kind, text = "", f"The last entry is of step {record.step}."
    return f'<p class="status {kind}">{escape(text)}</p>'


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
