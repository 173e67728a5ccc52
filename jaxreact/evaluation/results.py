"""metrics.json: what an evaluation says of its predictions."""

import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from jaxreact.files import write_json
from jaxreact.metrics import Interval

_PACKAGES = ("jaxreact", "jax", "jaxlib", "flax", "numpy", "scipy")


def write_metrics_json(
    path: str | Path,
    name: str,
    intervals: Mapping[str, Interval],
    baselines: Mapping[str, Mapping[str, float]],
    *,
    split: str,
    mode: str,
    seed: int,
    period: int | None,
    counts: Mapping[str, int],
    made_by: Mapping[str, str | int | bool] | None = None,
    realism: Mapping[str, Any] | None = None,
    draws: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """Writes `metrics.json`, whole or not at all; what is not defined becomes null.

    Keys: `name` of what was scored, `scores` {metric: value}, `intervals` {metric: [low, high]}
    over other conversations (95 %), `baselines` {name: {metric: value}} without those that a
    baseline has not, `split`, `mode`, `seed`, `period` (frames from border to border of Seams; of
    whole clips there is none), `counts`, `made_by` (the system and its settings) of what was
    generated here, `realism` (FRRea) if pictures were compared, `draws_intervals` {metric: [low,
    high]} where a score of another draw of targets and noise would lie, and `versions` of Python
    and of the packages that the numbers depend on.
    """
    content = {
        "name": name,
        "scores": {name: interval.value for name, interval in intervals.items()},
        "intervals": {name: [interval.low, interval.high] for name, interval in intervals.items()},
        "baselines": baselines,
        "split": split,
        "mode": mode,
        "seed": seed,
        **({} if period is None else {"period": period}),
        "counts": dict(counts),
        **({} if made_by is None else {"made_by": dict(made_by)}),
        **({"draws_intervals": dict(draws)} if draws else {}),
        **({} if realism is None else {"realism": dict(realism)}),
        "versions": _versions(),
    }
    write_json(path, content)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from a checkout that was not installed
            versions[package] = "not installed"
    return versions
