"""The scores in words, and the table of them."""

import math
from html import escape

from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.html.tables import number, table
from jaxreact.metrics.scores import SCORES, labelled

BASELINES = {
    "gt": "Ground truth",
    "mime": "Mime",
    "random": "Random",
    "mean-sequence": "Mean sequence",
    "mean-frame": "Mean frame",
}
"""What the naive baselines are called."""

ABOUT_BASELINES = (
    "Ground truth repeats the listener's own reaction, Mime the speaker's behaviour; Random is"
    " uniform noise; Mean sequence is the training listeners' mean at each moment of a clip, Mean"
    " frame the mean of that, a motionless face."
)


def shown(value: float) -> str:
    """A score as HTML; "-" where it is not defined."""
    return number(value) if math.isfinite(value) else "-"


def explanation(evaluated: Evaluated) -> str:
    """What each score means, one after the other."""
    known = {score.name: score.explained(evaluated.shape[1]) for score in SCORES}
    entries = (
        f"<div><dt>{escape(labelled(name))}</dt><dd>{known.get(name, '')}</dd></div>"
        for name in evaluated.scores
    )
    return f'<dl class="meanings">{"".join(entries)}</dl>'


def score_table(evaluated: Evaluated) -> str:
    """The model with its intervals, the naive baselines below it."""
    metrics = list(evaluated.scores)
    model = [
        f"{shown(evaluated.scores[metric])}{_interval(evaluated, metric)}" for metric in metrics
    ]
    rows = [[f"<b>{escape(scored(evaluated))}</b>", *model]]
    for name, values in evaluated.baselines.items():
        label = escape(BASELINES.get(name, name))
        rows.append([label, *(shown(values.get(metric, math.nan)) for metric in metrics)])
    return table(["", *map(labelled, metrics)], rows, "scores")


def scored(evaluated: Evaluated) -> str:
    """What was scored, as the evaluation calls it."""
    return str(evaluated.content.get("name") or "Model")


def _interval(evaluated: Evaluated, metric: str) -> str:
    if metric not in evaluated.intervals:
        return ""
    low, high = evaluated.intervals[metric]
    return f"<small>{number(low)} to {number(high)}</small>"


def score_notes(evaluated: Evaluated) -> str:
    """What one has to know to read the table."""
    lines = [ABOUT_BASELINES]
    if evaluated.intervals:
        lines.insert(
            0,
            "Small numbers are 95 % confidence intervals: where the score would lie on other"
            " conversations of the same kind.",
        )
    if evaluated.content["mode"] == "original":
        lines.append(
            "Mode original: computed as the original program does, with its treatment of clips"
            " without neighbours and of undefined correlations."
        )
    return f'<p class="quiet">{" ".join(lines)}</p>'
