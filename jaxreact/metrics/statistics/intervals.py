"""Bootstrap confidence intervals of the scores over clips."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri, stdtrit

from jaxreact.errors import UserError
from jaxreact.metrics.clipwise import ClipScores, aggregate
from jaxreact.metrics.statistics.bootstrap import (
    RESAMPLES,
    Counts,
    Statistic,
    draw,
    leave_one_out,
    numbered,
)


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
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Metric -> its confidence interval: where the score would lie on other clips of the same kind.

    Clips are drawn with replacement `resamples` times. `groups` (one label a clip) draws whole
    groups instead, since clips of one conversation resemble each other, and so do the two roles of
    one recording; without it such data give intervals that are too narrow. The interval covers the
    choice of clips only: not another training of the same model, not another seed of its samples,
    not errors of the neighbour matrix.

    The bounds are bias-corrected and accelerated (BCa; Efron 1987), which follows the skewness of
    the scores, and widened for few groups as Student's t is (Hesterberg 2015). In simulated data
    sets 95 % intervals held the true value 91 to 94 % of the time with 12 groups (plain percentiles
    86 to 89 %) and 93 to 95 % with 30; where a few clips hold most of the diversity, 89 %.

    The same arguments give the same intervals. Raises `UserError` for labels that do not fit, a
    level outside (0, 1), or fewer than 100 resamples.
    """
    check_resampling(resamples, level)
    number = numbered(groups, len(scores))
    draws = draw(int(number.max()) + 1, resamples, np.random.default_rng(seed))
    ranges = {}
    for name, value in aggregate(scores).items():
        statistic = scores[name].statistic(number)
        low, high = bounds(statistic, draws, value, level)
        ranges[name] = Interval(value, low, high, level, statistic.groups)
    return ranges


def bounds(statistic: Statistic, draws: Counts, value: float, level: float) -> tuple[float, float]:
    """The interval of a statistic from its resamples; (NaN, NaN) where too few groups vary it.

    It contains `value`: where all resamples agree rounding must not decide.
    """
    resampled = statistic(draws)
    resampled = resampled[np.isfinite(resampled)]
    if np.isnan(value) or statistic.groups < statistic.fewest:
        return float("nan"), float("nan")
    left_out = statistic(leave_one_out(draws.shape[1]))
    shares = _shares(resampled, left_out[np.isfinite(left_out)], value, level, statistic.groups)
    low, high = np.quantile(resampled, shares)
    return min(float(low), value), max(float(high), value)


def _shares(
    resampled: Float[np.ndarray, "resamples"],
    left_out: Float[np.ndarray, "groups"],
    value: float,
    level: float,
    groups: int,
) -> Float[np.ndarray, "2"]:
    """Which shares of the resamples lie below the two bounds (BCa, widened for few groups).

    `left_out` is the statistic without each of the groups in turn.
    """
    tail = stdtrit(groups - 1, (1 + level) / 2) * np.sqrt(groups / (groups - 1))
    ties = np.isclose(resampled, value, rtol=1e-9, atol=1e-12)
    below = (~ties & (resampled < value)).mean() + ties.mean() / 2
    bias = ndtri(np.clip(below, 0.5 / len(resampled), 1 - 0.5 / len(resampled)))
    influence = left_out.mean() - left_out
    spread = np.square(influence).sum() ** 1.5
    skewness = (influence**3).sum() / (6 * spread) if spread > 0 else 0.0
    shifted = bias + np.array([-tail, tail])
    # Beyond the pole at 1 / skewness the formula turns round; at it lies the outermost resample.
    stretch = np.maximum(1 - skewness * shifted, 1e-6)
    return ndtr(bias + shifted / stretch)


def check_resampling(resamples: int, level: float) -> None:
    """Raises `UserError` for numbers that give no interval."""
    if resamples < 100:
        raise UserError(f"resamples: {resamples} are too few for an interval; give 100 or more")
    if not 0 < level < 1:
        raise UserError(f"level: {level} is not between 0 and 1; the usual one is 0.95")
