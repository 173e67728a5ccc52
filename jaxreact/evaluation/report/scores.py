"""The scores in words, and the table of them."""

import math
from typing import Any

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.metrics.scores import SCORES, labelled

BASELINES = {
    "gt": "Ground truth",
    "mime": "Mime",
    "random": "Random",
    "mean-sequence": "Mean sequence",
    "mean-frame": "Mean frame",
}
"""What the naive baselines are called."""


def section(evaluated: Evaluated) -> dict[str, Any]:
    """The model's scores with their intervals, those of the naive baselines, and what they mean."""
    metrics = list(evaluated.scores)
    meaning = {score.name: score.explained(evaluated.shape[1]) for score in SCORES}
    return {
        "labels": [labelled(metric) for metric in metrics],
        "model": [(evaluated.scores[m], evaluated.intervals.get(m)) for m in metrics],
        "baselines": [
            [BASELINES.get(name, name), *(values.get(metric, math.nan) for metric in metrics)]
            for name, values in evaluated.baselines.items()
        ],
        "intervals": bool(evaluated.intervals),
        "mode": evaluated.content["mode"],
        "meanings": [(labelled(metric), meaning.get(metric, "")) for metric in metrics],
    }


def scored(evaluated: Evaluated) -> str:
    """What was scored, as the evaluation calls it."""
    return str(evaluated.content.get("name") or "Model")
