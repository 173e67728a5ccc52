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
        weighted = np.nan_to_num(self.values) * self.weights
        return Mean(group_sums(weighted, number), group_sums(self.weights, number))


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
