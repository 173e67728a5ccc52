"""Drawing clips, or whole groups of clips, again: the arithmetic of intervals and tests.

A resample is a row of counts, how often each group was drawn. Every score is a function of such
rows, which makes thousands of resamples a few matrix products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import UserError

RESAMPLES = 2000
"""How often is drawn again where nothing else is wanted."""

Counts = Float[np.ndarray, "resamples groups"]


@runtime_checkable
class Statistic(Protocol):
    """A score as a function of how often each group of clips counts."""

    def __call__(self, counts: Counts) -> Float[np.ndarray, "resamples"]:
        """The score of each resample, not finite where none of its clips takes part."""
        ...

    @property
    def groups(self) -> int:
        """Number of groups that have a say in the score."""
        ...

    @property
    def fewest(self) -> int:
        """Number of groups below which resamples cannot show how the score varies."""
        ...


@dataclass(frozen=True)
class Mean:
    """A weighted mean over clips, or a ratio of sums over them, from each group's sums."""

    sums: Float[np.ndarray, "groups"]
    weights: Float[np.ndarray, "groups"]

    def __call__(self, counts: Counts) -> Float[np.ndarray, "resamples"]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return (counts @ self.sums) / (counts @ self.weights)

    @property
    def groups(self) -> int:
        return int((self.weights > 0).sum())

    @property
    def fewest(self) -> int:
        return 2


@dataclass(frozen=True)
class PairMean:
    """The mean over pairs of different clips, from the sums over each pair of groups.

    Copies of a group are not paired with each other: a clip differs from its own copy by nothing,
    and from the copies of its conversation by little, so that such pairs, which no data set has,
    would make every resample less diverse than the data.
    """

    sums: Float[np.ndarray, "groups groups"]
    sizes: Float[np.ndarray, "groups"]

    def __call__(self, counts: Counts) -> Float[np.ndarray, "resamples"]:
        within, pairs_within = np.diagonal(self.sums), self.sizes * (self.sizes - 1)
        once = counts - np.square(counts)  # c pairs of a copy with itself instead of c^2
        total = ((counts @ self.sums) * counts).sum(axis=1) + once @ within
        among = np.square(counts @ self.sizes) - np.square(counts) @ np.square(self.sizes)
        with np.errstate(invalid="ignore"):
            return total / (among + counts @ pairs_within)

    @property
    def groups(self) -> int:
        return len(self.sizes)

    @property
    def fewest(self) -> int:
        return 3


@dataclass(frozen=True)
class Gain:
    """What the second of two statistics has more than the first, on the same resamples."""

    first: Statistic
    second: Statistic

    def __call__(self, counts: Counts) -> Float[np.ndarray, "resamples"]:
        return self.second(counts) - self.first(counts)

    @property
    def groups(self) -> int:
        return min(self.first.groups, self.second.groups)

    @property
    def fewest(self) -> int:
        return self.first.fewest


def numbered(groups: Sequence[str] | np.ndarray | None, clips: int) -> Int[np.ndarray, "clips"]:
    """Every clip's group as a number from 0 on; None makes each clip a group of its own.

    Raises `UserError` if there is not one label a clip.
    """
    if groups is None:
        return np.arange(clips)
    if len(groups) != clips:
        raise UserError(f"groups: {len(groups)} labels for {clips} clips; give one a clip")
    return np.unique(np.asarray(groups), return_inverse=True)[1].reshape(clips)


def group_sums(
    values: Float[np.ndarray, "clips *rest"], number: Int[np.ndarray, "clips"]
) -> Float[np.ndarray, "groups *rest"]:
    """Sums along the first axis, by group."""
    sums = np.zeros((number.max() + 1, *values.shape[1:]))
    np.add.at(sums, number, values)
    return sums


def draw(groups: int, resamples: int, rng: np.random.Generator) -> Counts:
    """As many groups as there are, with replacement, `resamples` times."""
    return rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples).astype(np.float64)


def leave_one_out(groups: int) -> Counts:
    """Every group counts once but one, each in turn (the jackknife)."""
    return 1.0 - np.eye(groups)


def exchanges(groups: int, resamples: int, rng: np.random.Generator) -> Counts:
    """For which groups two systems are exchanged (1) or not (0); nowhere in the first row.

    All ways where there are no more than `resamples`, else as many at random.
    """
    if 2**groups <= resamples:
        ways = np.arange(2**groups)[:, None] >> np.arange(groups) & 1
    else:
        ways = rng.integers(0, 2, (resamples, groups))
        ways[0] = 0
    return ways.astype(np.float64)
