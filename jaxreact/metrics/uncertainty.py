"""Bootstrap confidence intervals of the scores over clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.metrics.clipwise import ClipScores, aggregate
from jaxreact.metrics.resampling import Statistic, draw, leave_one_out, numbered, statistics

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """A score and the confidence interval [low, high] around it, in the score's units.

    `groups` clips or groups of clips have a say in it. low and high are NaN where these are too
    few to vary: one, or two for FRDvs, which lives from pairs.
    """

    value: float
    low: float
    high: float
    level: float
    groups: int


def intervals(
    scores: ClipScores,
    *,
    groups: Sequence[str] | np.ndarray | None = None,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Metric -> its confidence interval: where the score would lie on other clips of the same kind.

    Clips are drawn with replacement `resamples` times. `groups` (one label a clip) draws whole
    groups instead, since clips of one conversation resemble each other, and so do the two roles of
    one recording; without it such data give intervals that are too narrow. The interval covers the
    choice of clips only: not another training of the same model, not another seed of its samples,
    not errors of the neighbour matrix.

    METHOD

    The same arguments give the same intervals. Raises `UserError` for labels that do not fit, a
    level outside (0, 1), or fewer than 100 resamples.
    """
    check_resampling(resamples, level)
    number = numbered(groups, len(scores))
    count = int(number.max()) + 1
    draws = draw(count, resamples, np.random.default_rng(seed))
    values = aggregate(scores)
    found = {}
    for name, statistic in statistics(scores, number).items():
        low, high = bounds(statistic, draws, values[name], level, needed=2 + (name == "FRDvs"))
        found[name] = Interval(values[name], low, high, level, statistic.groups)
    return found


def check_resampling(resamples: int, level: float) -> None:
    """Raises `UserError` for numbers that give no interval."""
    if resamples < 100:
        raise UserError(f"resamples: {resamples} are too few for an interval; give 100 or more")
    if not 0 < level < 1:
        raise UserError(f"level: {level} is not between 0 and 1; the usual one is 0.95")
