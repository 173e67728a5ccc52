"""The six scores in words, and the table of them."""

import math
from typing import Any

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.metrics.table import labelled

BASELINES = {
    "gt": "Ground truth",
    "mime": "Mime",
    "random": "Random",
    "mean-sequence": "Mean sequence",
    "mean-frame": "Mean frame",
}
"""What the naive baselines are called."""


def meanings(samples: int) -> dict[str, str]:
    """Score -> what it means and where better is, in a sentence or two."""
    return {
        "FRC": "How well the course of a reaction agrees with the most similar appropriate one"
        f" (concordance correlation, summed over the {samples} samples). Higher is better;"
        f" {samples} would be perfect, 0 is no relation.",
        "FRD": "How far a reaction is from the nearest appropriate one when time may be warped"
        f" (summed over the {samples} samples; it grows with a clip's length). Lower is better; 0"
        " is a copy.",
        "FRDvs": "How much the reactions to different speakers differ. Higher is more diverse, but"
        " noise is too (0.167): people's own value, that of the ground truth, is the one to reach.",
        "FRVar": "How much a face moves within a clip. Higher is livelier, but so is noise (0.083):"
        " the ground truth's value is the one to reach.",
        "FRDiv": "How much the samples for one clip differ. Higher is more diverse; a model that"
        " always does the same has 0, noise 0.167. Baselines that repeat one reaction have 0.",
        "FRSyn": "After how many frames (1/25 s, at most 49) a reaction is most like the speaker's"
        " behaviour. Lower counts as better; look at the lag curves before believing it.",
    }


def section(evaluated: Evaluated) -> dict[str, Any]:
    """The model's scores with their intervals, those of the naive baselines, and what they mean."""
    metrics, meaning = list(evaluated.scores), meanings(evaluated.shape[1])
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
