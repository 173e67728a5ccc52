"""A correlation pooled over clips, at the lag that suits all of them best, as parts of a score."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from jaxreact.metrics.statistics.bootstrap import Counts, group_sums

_NOTHING = 1e-9
"""Below this, a sum of squares is rounding."""


@dataclass(frozen=True)
class ClipCorrelations:
    """Sums over each clip of two signals' products, and of their squares, at each of several lags.

    `products[n]` are the sums of one x other, one^2 and other^2. The score is the correlation of
    all clips at the best lag, which is sought anew in every resample.
    """

    products: Float[np.ndarray, "clips 3 lags"]

    @property
    def values(self) -> Float[np.ndarray, "clips"]:
        """What each clip adds at the best lag of all; their mean is the score.

        A clip in which both signals are large adds more than 1.
        """
        together = self.products.sum(axis=0)
        curve = pooled(together)
        if np.isnan(curve).any():
            return np.full(len(self.products), np.nan)
        best = int(curve.argmax())
        size = math.sqrt(together[1, best] * together[2, best])
        return len(self.products) * self.products[:, 0, best] / size

    @property
    def weights(self) -> Float[np.ndarray, "clips"]:
        return np.isfinite(self.values).astype(float)

    @property
    def total(self) -> float:
        return float(pooled(self.products.sum(axis=0)).max())

    def left_out(self, samples: int) -> int:
        return 0

    def repeated(self, factor: float) -> "ClipCorrelations":
        return self

    def statistic(self, number: Int[np.ndarray, "clips"]) -> "BestCorrelation":
        return BestCorrelation(group_sums(self.products, number))

    def sums(self, number: Int[np.ndarray, "clips"]) -> Float[np.ndarray, "groups columns"]:
        return group_sums(self.products.reshape(len(self.products), -1), number)

    def of_sums(self, sums: Float[np.ndarray, "systems columns"]) -> Float[np.ndarray, "systems"]:
        return pooled(sums.reshape(len(sums), *self.products.shape[1:])).max(axis=-1)


@dataclass(frozen=True)
class BestCorrelation:
    """The pooled correlation at its best lag, from each group's sums."""

    products: Float[np.ndarray, "groups 3 lags"]

    def __call__(self, counts: Counts) -> Float[np.ndarray, "resamples"]:
        return pooled(np.tensordot(counts, self.products, axes=1)).max(axis=-1)

    @property
    def groups(self) -> int:
        return int((self.products[:, 1:, 0] > _NOTHING).all(axis=1).sum())

    @property
    def fewest(self) -> int:
        return 2


def pooled(products: Float[np.ndarray, "*systems 3 lags"]) -> Float[np.ndarray, "*systems lags"]:
    """The correlation at each lag from sums of products and squares.

    All are NaN where one of the signals is 0 at some lag.
    """
    together, one, other = np.moveaxis(products, -2, 0)
    size = np.sqrt(np.maximum(one * other, 0.0))
    small = size.min(axis=-1, keepdims=True) < _NOTHING
    return np.where(small, np.nan, together / np.where(small, 1.0, size))
