"""What each clip adds to a score, and how the score of all clips follows from it."""

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from jaxreact.metrics.statistics.bootstrap import Mean, PairMean, Statistic, group_sums


@runtime_checkable
class Parts(Protocol):
    """The parts of N clips in one score, in its units."""

    @property
    def values(self) -> Float[np.ndarray, "clips"]:
        """Each clip's part, NaN where it has none."""
        ...

    @property
    def weights(self) -> Float[np.ndarray, "clips"]:
        """How much each part counts: the score is the weighted mean; 0 where there is none."""
        ...

    @property
    def total(self) -> float:
        """The score of all clips, NaN where it is not defined."""
        ...

    def left_out(self, samples: int) -> int:
        """How many clips, or samples of them, take no part, with `samples` to each clip."""
        ...

    def repeated(self, factor: float) -> "Parts":
        """The parts if every sample were there `factor` times."""
        ...

    def statistic(self, number: Int[np.ndarray, "clips"]) -> Statistic:
        """The score as a function of how often each group was drawn; `number` is a clip's group."""
        ...

    def sums(self, number: Int[np.ndarray, "clips"]) -> Float[np.ndarray, "groups columns"]:
        """What of each group is added up where groups of two systems are exchanged."""
        ...

    def of_sums(self, sums: Float[np.ndarray, "systems columns"]) -> Float[np.ndarray, "systems"]:
        """The score of each system that has these sums of `sums` over its groups, NaN or infinite
        where it has none."""
        ...


@dataclass(frozen=True)
class ClipValues:
    """A number a clip, whose mean is the score; NaN for clips that take no part.

    `summed` says that it is a sum over the clip's samples. `samples`, if given, is over how many
    samples it is a mean: where these differ, clips weigh as much as they have.
    """

    values: Float[np.ndarray, "clips"]
    summed: bool = False
    samples: Float[np.ndarray, "clips"] | None = None

    @property
    def weights(self) -> Float[np.ndarray, "clips"]:
        return np.isfinite(self.values).astype(float) if self.samples is None else self.samples

    @property
    def total(self) -> float:
        if self.samples is None:
            return mean_over_clips(self.values)
        return mean_over_samples(self.values, self.samples)

    def left_out(self, samples: int) -> int:
        if self.samples is None:
            return int(np.isnan(self.values).sum())
        return len(self.values) * samples - round(self.samples.sum())

    def repeated(self, factor: float) -> "ClipValues":
        if self.samples is not None:
            return replace(self, samples=self.samples * factor)
        return replace(self, values=self.values * factor) if self.summed else self

    def statistic(self, number: Int[np.ndarray, "clips"]) -> Mean:
        return Mean(*self.sums(number).T)

    def sums(self, number: Int[np.ndarray, "clips"]) -> Float[np.ndarray, "groups 2"]:
        return _weighted_sums(self, number)

    def of_sums(self, sums: Float[np.ndarray, "systems 2"]) -> Float[np.ndarray, "systems"]:
        return _quotients(sums)


@dataclass(frozen=True)
class ClipRatios:
    """A numerator and a denominator a clip; the ratio of their sums is the score.

    So a clip counts as much as its denominator. Where that is 0 it has no value of its own, but its
    numerator still counts among the others. Where all are 0 there is no score.
    """

    numerators: Float[np.ndarray, "clips"]
    denominators: Float[np.ndarray, "clips"]

    @property
    def values(self) -> Float[np.ndarray, "clips"]:
        has = self.denominators > 0
        return np.divide(
            self.numerators, self.denominators, where=has, out=np.full(len(has), np.nan)
        )

    @property
    def weights(self) -> Float[np.ndarray, "clips"]:
        return self.denominators

    @property
    def total(self) -> float:
        below = float(self.denominators.sum())
        return float(self.numerators.sum()) / below if below > 0 else math.nan

    def left_out(self, samples: int) -> int:
        return 0

    def repeated(self, factor: float) -> "ClipRatios":
        return self

    def statistic(self, number: Int[np.ndarray, "clips"]) -> Mean:
        return Mean(*self.sums(number).T)

    def sums(self, number: Int[np.ndarray, "clips"]) -> Float[np.ndarray, "groups 2"]:
        return group_sums(np.stack([self.numerators, self.denominators], axis=1), number)

    def of_sums(self, sums: Float[np.ndarray, "systems 2"]) -> Float[np.ndarray, "systems"]:
        return _quotients(sums)


@dataclass(frozen=True)
class ClipDistances:
    """A number for any two clips, 0 on the diagonal, whose mean over pairs is the score.

    `alone` is the score of a single clip.
    """

    distances: Float[np.ndarray, "clips clips"]
    alone: float = 0.0

    @property
    def values(self) -> Float[np.ndarray, "clips"]:
        """Each clip's part, 0 or more: their mean is the score. NaN for a single clip.

        Of mean squared differences it is 2 N / (N-1) times that from the mean over all clips.
        """
        clips = len(self.distances)
        if clips == 1:
            return np.full(1, np.nan)
        rows = self.distances.sum(axis=1)
        return np.maximum(2 * (rows - rows.mean() / 2) / (clips - 1), 0.0)

    @property
    def weights(self) -> Float[np.ndarray, "clips"]:
        return np.isfinite(self.values).astype(float)

    @property
    def total(self) -> float:
        clips = len(self.distances)
        return self.alone if clips == 1 else float(self.distances.sum() / (clips * (clips - 1)))

    def left_out(self, samples: int) -> int:
        return 0

    def repeated(self, factor: float) -> "ClipDistances":
        return self

    def statistic(self, number: Int[np.ndarray, "clips"]) -> PairMean:
        pairs = group_sums(group_sums(self.distances, number).T, number)
        return PairMean(pairs, group_sums(np.ones(len(number)), number))

    def sums(self, number: Int[np.ndarray, "clips"]) -> Float[np.ndarray, "groups 2"]:
        return _weighted_sums(self, number)

    def of_sums(self, sums: Float[np.ndarray, "systems 2"]) -> Float[np.ndarray, "systems"]:
        return _quotients(sums)


def _weighted_sums(
    parts: ClipValues | ClipDistances, number: Int[np.ndarray, "clips"]
) -> Float[np.ndarray, "groups 2"]:
    """Each group's weighted sum, and its weight."""
    weights = parts.weights
    weighted = np.nan_to_num(parts.values) * weights
    return group_sums(np.stack([weighted, weights], axis=1), number)


def _quotients(sums: Float[np.ndarray, "systems 2"]) -> Float[np.ndarray, "systems"]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, 0] / sums[:, 1]


def mean_over_clips(values: Float[np.ndarray, "clips"]) -> float:
    """Mean of the values that are not NaN; NaN if there are none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan


def mean_over_samples(
    values: Float[np.ndarray, "clips"], samples: Float[np.ndarray, "clips"]
) -> float:
    """Mean over all samples, of each clip's mean over some of its own; NaN if there are none."""
    taking_part = samples > 0
    if not taking_part.any():
        return math.nan
    return float(np.average(values[taking_part], weights=samples[taking_part]))
