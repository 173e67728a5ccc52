"""Whether two systems differ: a paired test on the same clips."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import UserError
from jaxreact.metrics.clipwise import ClipScores, aggregate
from jaxreact.metrics.parts import Parts
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import CHALLENGE
from jaxreact.metrics.statistics.bootstrap import (
    RESAMPLES,
    Gain,
    draw,
    exchanges,
    numbered,
)
from jaxreact.metrics.statistics.intervals import bounds, check_resampling

Verdict = Literal["better", "worse", "higher", "lower", "no difference shown"]


@dataclass(frozen=True)
class Difference:
    """One score of systems A and B, and the difference B - A with its confidence interval.

    `p_value` is two-sided, `p_adjusted` the same after Holm's correction for all scores of its
    family (the challenge's, ours); both are NaN where the difference is. `verdict` is about B, at
    the level of the interval but by `p_adjusted`, which asks for more than that 0 lies outside of
    [low, high].
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
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """Metric -> whether the systems A and B, scored on the same clips, differ in it.

    The interval is `intervals`' with each resample's clips the same for both systems. The p-value
    asks how often a difference as large arises when A's and B's predictions of random clips (with
    `groups`, of all clips of random groups) are exchanged, `resamples` times (Good, Permutation
    Tests, 2000), or in all ways if these are fewer. For FRDvs, a mean over pairs, each system's
    predictions are exchanged relative to its own mean over the clips, which FRDvs does not depend
    on. Of scores that are no means the sums that make them are exchanged. No p-value can be below
    `smallest_p(groups)`: with fewer than eight conversations nothing can be shown at 95 %.

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
    values_a, values_b = aggregate(a), aggregate(b)
    differences = {}
    for name in values_a:
        value = values_b[name] - values_a[name]
        gain = Gain(a[name].statistic(number), b[name].statistic(number))
        low, high = bounds(gain, draws, value, level)
        p_value = _exchange(a[name], b[name], number, exchanged)
        differences[name] = Difference(
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
    return _judged(differences, a.scores)


def _check_fit(a: ClipScores, b: ClipScores) -> None:
    for what, of_a, of_b in (
        ("clips", len(a), len(b)),
        ("samples a clip", a.samples, b.samples),
        ("frames", a.frames, b.frames),
        ("scoring mode", a.mode, b.mode),
        ("scores", ", ".join(a.parts), ", ".join(b.parts)),
    ):
        if of_a != of_b:
            raise UserError(f"A and B cannot be compared: {what} {of_a} in A, {of_b} in B")


def _exchange(
    a: Parts,
    b: Parts,
    number: Int[np.ndarray, "clips"],
    exchanged: Float[np.ndarray, "resamples groups"],
) -> float:
    """Two-sided p-value of a difference, by exchanging groups of clips.

    Each row of `exchanged` has a 1 where A and B are exchanged. The first has none: the data
    themselves count too, so that p is never 0.
    """
    sums_a, sums_b = a.sums(number), b.sums(number)
    moved = exchanged @ (sums_b - sums_a)
    with np.errstate(invalid="ignore"):
        differences = b.of_sums(sums_b.sum(axis=0) - moved) - a.of_sums(sums_a.sum(axis=0) + moved)
    size = np.abs(differences[np.isfinite(differences)])
    if not np.isfinite(differences[0]):
        return float("nan")
    # An exchange of everything must count as equally large, whatever rounding does to it.
    return float((size >= size[0] * (1 - 1e-9) - 1e-12).mean())


def _judged(
    differences: Mapping[str, Difference], scores: Sequence[Score]
) -> dict[str, Difference]:
    """The same with p-values corrected, family by family, and verdicts drawn from them."""
    adjusted: dict[str, float] = {}
    for family in {score.family for score in scores}:
        names = [score.name for score in scores if score.family == family]
        adjusted |= holm({name: differences[name].p_value for name in names})
    return {
        score.name: dataclasses.replace(
            differences[score.name],
            p_adjusted=adjusted[score.name],
            verdict=_verdict(differences[score.name], score.better, adjusted[score.name]),
        )
        for score in scores
    }


def smallest_p(groups: int, scores: Sequence[Score] = CHALLENGE) -> float:
    """What a corrected p can be at least when `groups` groups are exchanged: that of the smallest
    family of the scores."""
    smallest = min(Counter(score.family for score in scores).values())
    return min(1.0, smallest * 2.0 ** (1 - groups))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for their number (Holm 1979); NaN stays and does not count."""
    adjusted, largest = dict(p_values), 0.0
    tested = sorted((p, name) for name, p in p_values.items() if not np.isnan(p))
    for rank, (p, name) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - rank)))
        adjusted[name] = largest
    return adjusted


def _verdict(difference: Difference, better: int, p_adjusted: float) -> Verdict:
    if not p_adjusted <= 1 - difference.level:  # NaN included
        return "no difference shown"
    if not better:
        return "higher" if difference.value > 0 else "lower"
    return "better" if difference.value * better > 0 else "worse"
