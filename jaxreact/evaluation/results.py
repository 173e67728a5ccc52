"""What an evaluation says of its predictions: metrics.json and the printed table."""

import json
import math
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from jaxreact.files import replacing

Scores = Mapping[str, float]
"""Metric -> value; NaN where a metric is not defined."""

DIRECTIONS = {"FRC": "↑", "FRD": "↓", "FRDvs": "↑", "FRVar": "↑", "FRDiv": "↑", "FRSyn": "↓"}
"""Where better is: appropriateness (FRC, FRD), diversity (FRDvs, FRVar, FRDiv), synchrony."""

_PACKAGES = ("jaxreact", "jax", "jaxlib", "flax", "numpy")


def write_metrics_json(
    path: str | Path,
    scores: Scores,
    baselines: Mapping[str, Scores],
    *,
    mode: str,
    counts: Mapping[str, int],
) -> None:
    """Writes `metrics.json`, whole or not at all; NaN becomes null, which JSON can say.

    Keys: `scores` {metric: value}, `baselines` {name: {metric: value}}, `mode`, `counts`, and
    `versions` of Python and of the packages that the numbers depend on.
    """
    content = {
        "scores": _without_nan(scores),
        "baselines": {name: _without_nan(values) for name, values in baselines.items()},
        "mode": mode,
        "counts": dict(counts),
        "versions": _versions(),
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _without_nan(scores: Scores) -> dict[str, float | None]:
    return {name: float(value) if math.isfinite(value) else None for name, value in scores.items()}


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from a checkout that was not installed
            versions[package] = "not installed"
    return versions


def score_table(scores: Scores, baselines: Mapping[str, Scores], name: str = "model") -> str:
    """An aligned text table, the model first and the baselines below it.

    Arrows tell where better is; "-" stands for a value that is not defined.
    """
    rows = [["", *(f"{metric} {DIRECTIONS.get(metric, '')}".strip() for metric in scores)]]
    for label, values in {name: scores, **baselines}.items():
        rows.append([label, *(_number(values.get(metric, math.nan)) for metric in scores)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"
