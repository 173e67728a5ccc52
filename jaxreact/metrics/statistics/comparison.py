"""Whether two systems differ: a paired test on the same clips."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import UserError
from jaxreact.metrics.clipwise import SCORES, ClipScores, aggregate
from jaxreact.metrics.statistics.bootstrap import (
    Gain,
    draw,
    exchanges,
    group_sums,
    numbered,
    statistics,
)
from jaxreact.metrics.statistics.intervals import bounds, check_resampling

BETTER: dict[str, Literal[1, -1]] = {"FRC": 1, "FRD": -1, "FRSyn": -1}
"""Where better lies. More variance or diversity is no merit in itself: noise has most of both, and
a system is good where it has as much as people have."""

Verdict = Literal["better", "worse", "higher", "lower", "no difference shown"]


@dataclass(frozen=True)
class Difference:
    """One score of systems A and B, and the difference B - A with its confidence interval.

    `p_value` is two-sided, `p_adjusted` the same after Holm's correction for the six scores; both
    are NaN where the difference is. `verdict` is about B, at the level of the interval but by
    `p_adjusted`, which asks for more than that 0 lies outside of [low, high].
    """

    a: float
    b: float
    value: float
    low: float
    high: float
    level: float
    groups: int
    p_value: float
    p_adjusted: float
    verdict: Verdict


def compare(
    a: ClipScores,
    b: ClipScores,
    *,
    groups: Sequence[str] | np.ndarray | None = None,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """Metric -> whether the systems A and B, scored on the same clips, differ in it.

    The interval is `intervals`' with each resample's clips the same for both systems. The p-value
    asks how often a difference as large arises when A's and B's predictions of random clips (with
    `groups`, of all clips of random groups) are exchanged, `resamples` times (Good, Permutation
    Tests, 2000), or in all ways if these are fewer. For FRDvs, a mean over pairs, each system's
    predictions are exchanged relative to its own mean over the clips, which FRDvs does not depend
    on. No p-value can be below `smallest_p(groups)`: with fewer than eight conversations nothing
    can be shown at 95 %.

    Clips are what is random here: a difference that is shown holds for other clips of the same
    kind, but another training of A or B may turn it round. Raises `UserError` where the scores are
    not of the same number of clips, samples and frames or not of the same mode.
    """
    _check_fit(a, b)
    check_resampling(resamples, level)
    number = numbered(groups, len(a))
    rng = np.random.default_rng(seed)
    count = int(number.max()) + 1
    draws, exchanged = draw(count, resamples, rng), exchanges(count, resamples, rng)
    of_a, of_b, means_a, means_b = (
        statistics(a, number),
        statistics(b, number),
        a.means(),
        b.means(),
    )
    values_a, values_b = aggregate(a), aggregate(b)
    found = {}
    for name in SCORES:
        value = values_b[name] - values_a[name]
        gain = Gain(of_a[name], of_b[name])
        low, high = bounds(gain, draws, value, level)
        p_value = _exchange(means_a[name], means_b[name], number, exchanged)
        found[name] = Difference(
            a=values_a[name],
            b=values_b[name],
            value=value,
            low=low,
            high=high,
            level=level,
            groups=gain.groups,
            p_value=p_value,
            p_adjusted=p_value,
            verdict="no difference shown",
        )
    return _judged(found)


def _check_fit(a: ClipScores, b: ClipScores) -> None:
    for what, one, other in (
        ("clips", len(a), len(b)),
        ("samples a clip", a.samples, b.samples),
        ("frames", a.frames, b.frames),
        ("scoring mode", a.mode, b.mode),
    ):
        if one != other:
            raise UserError(f"A and B cannot be compared: {what} {one} in A, {other} in B")


Means = tuple[Float[np.ndarray, "clips"], Float[np.ndarray, "clips"]]


def _exchange(
    a: Means,
    b: Means,
    number: Int[np.ndarray, "clips"],
    exchanged: Float[np.ndarray, "resamples groups"],
) -> float:
    """Two-sided p-value of a difference of weighted means, by exchanging groups of clips.

    Each row of `exchanged` has a 1 where A and B are exchanged. The first has none: the data
    themselves count too, so that p is never 0.
    """
    sums_a, weights_a = group_sums(a[0] * a[1], number), group_sums(a[1], number)
    sums_b, weights_b = group_sums(b[0] * b[1], number), group_sums(b[1], number)
    moved, weight_moved = exchanged @ (sums_b - sums_a), exchanged @ (weights_b - weights_a)
    with np.errstate(invalid="ignore", divide="ignore"):
        differences = (sums_b.sum() - moved) / (weights_b.sum() - weight_moved) - (
            sums_a.sum() + moved
        ) / (weights_a.sum() + weight_moved)
    size = np.abs(differences[np.isfinite(differences)])
    if not np.isfinite(differences[0]):
        return float("nan")
    # An exchange of everything must count as equally large, whatever rounding does to it.
    return float((size >= size[0] * (1 - 1e-9) - 1e-12).mean())


def _judged(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """The same with p-values corrected and verdicts drawn from them."""
    adjusted = holm({name: one.p_value for name, one in found.items()})
    return {
        name: dataclasses.replace(
            one, p_adjusted=adjusted[name], verdict=_verdict(name, one, adjusted[name])
        )
        for name, one in found.items()
    }


def smallest_p(groups: int) -> float:
    """What p, corrected for six scores, can be at least when `groups` groups are exchanged."""
    return min(1.0, len(SCORES) * 2.0 ** (1 - groups))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for their number (Holm 1979); NaN stays and does not count."""
    adjusted, largest = dict(p_values), 0.0
    tested = sorted((p, name) for name, p in p_values.items() if not np.isnan(p))
    for rank, (p, name) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - rank)))
        adjusted[name] = largest
    return adjusted


def _verdict(name: str, one: Difference, p_adjusted: float) -> Verdict:
    if not p_adjusted <= 1 - one.level:  # NaN included
        return "no difference shown"
    if name not in BETTER:
        return "higher" if one.value > 0 else "lower"
    return "better" if one.value * BETTER[name] > 0 else "worse"
