"""The scores in words, and the table of them."""

import math
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from jaxreact.face import FPS
from jaxreact.metrics.scores import SCORES, labelled

BASELINES = {
    "gt": "Ground truth",
    "mime": "Mime",
    "random": "Random",
    "mean-sequence": "Mean sequence",
    "mean-frame": "Mean frame",
}
"""What the naive baselines are called."""

NAIVE = (
    "Ground truth repeats the listener's own reaction, Mime the speaker's behaviour; Random is"
    " uniform noise; Mean sequence is the training listeners' mean at each moment of a clip, Mean"
    " frame the mean of that, a motionless face; the last three are emotion alone, without scores"
    " of faces."
)
"""What they are."""


@runtime_checkable
class Scored(Protocol):
    """What is asked of an evaluation here; scores are NaN where they are not defined."""

    @property
    def content(self) -> Mapping[str, Any]:
        """metrics.json."""
        ...

    @property
    def samples(self) -> int:
        """Reactions to each clip."""
        ...

    @property
    def scores(self) -> Mapping[str, float]: ...

    @property
    def intervals(self) -> Mapping[str, tuple[float, float]]: ...

    @property
    def baselines(self) -> Mapping[str, Mapping[str, float]]: ...


def section(evaluated: Scored, fps: int = FPS, naive: str = NAIVE) -> dict[str, Any]:
    """The model's scores with their intervals, those of the naive baselines, which `naive` says in
    words, and what they mean at `fps` frames a second."""
    metrics = list(evaluated.scores)
    meaning = {score.name: score.explained(evaluated.samples, fps) for score in SCORES}
    return {
        "labels": [labelled(metric) for metric in metrics],
        "model": [(evaluated.scores[m], evaluated.intervals.get(m)) for m in metrics],
        "baselines": [
            [BASELINES.get(name, name), *(values.get(metric, math.nan) for metric in metrics)]
            for name, values in evaluated.baselines.items()
        ],
        "intervals": bool(evaluated.intervals),
        "naive": naive,
        "mode": evaluated.content["mode"],
        "meanings": [(labelled(metric), meaning.get(metric, "")) for metric in metrics],
    }


def scored(evaluated: Scored) -> str:
    """What was scored, as the evaluation calls it."""
    return str(evaluated.content.get("name") or "Model")
