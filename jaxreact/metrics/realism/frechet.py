"""Fréchet distance between two sets of features, from statistics that grow as features come.

    d^2 = |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2)

with m the mean and C the unbiased covariance of each set: the squared Wasserstein-2 distance of two
normal distributions. FID is this number for Inception features.

Source: Dowson and Landau 1982, "The Fréchet distance between multivariate normal distributions";
Heusel et al. 2017, arXiv:1706.08500, equation 6; Chan, Golub and LeVeque 1979 for the statistics.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError


@dataclass(frozen=True)
class FeatureStatistics:
    """Count, mean and scatter of features; `+` merges those of two sets, in float64.

    `scatter` is the sum of outer products of what exceeds the mean, so that nothing cancels when
    features lie far from zero.
    """

    count: int
    mean: Float[np.ndarray, " features"]
    scatter: Float[np.ndarray, "features features"]

    @classmethod
    def of(cls, features: Float[np.ndarray, "count features"]) -> "FeatureStatistics":
        """Statistics of features, one picture a row; no row is the empty set."""
        features = np.asarray(features, np.float64)
        count, width = features.shape
        mean = features.mean(axis=0) if count else np.zeros(width)
        centred = features - mean
        return cls(count, mean, centred.T @ centred)

    def __add__(self, other: "FeatureStatistics") -> "FeatureStatistics":
        count = self.count + other.count
        if not self.count or not other.count:
            return self if self.count else other
        shift = other.mean - self.mean
        between = np.outer(shift, shift) * (self.count * other.count / count)
        return FeatureStatistics(
            count,
            self.mean + shift * (other.count / count),
            self.scatter + other.scatter + between,
        )

    @property
    def covariance(self) -> Float[np.ndarray, "features features"]:
        """Divided by count - 1. Raises UserError for fewer than two pictures."""
        if self.count < 2:
            raise UserError(f"a covariance needs at least 2 pictures, not {self.count}")
        return self.scatter / (self.count - 1)


def frechet_distance(first: FeatureStatistics, second: FeatureStatistics) -> float:
    """Squared Fréchet distance of the normal distributions with these statistics; never negative.

    Nothing is added to the covariances, so singular ones (fewer pictures than features) are used as
    they are. Raises UserError for fewer than two pictures on a side, and ValueError where the
    numbers of features differ.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"{first.mean.size} and {second.mean.size} features do not compare")
    shift = first.mean - second.mean
    a, b = first.covariance, second.covariance
    distance = shift @ shift + np.trace(a) + np.trace(b) - 2 * _overlap(a, b)
    return max(0.0, float(distance))


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """tr (C1 C2)^(1/2), the sum of the square roots of C1 C2's eigenvalues.

    With C1 = A A^T and C2 = B B^T these roots are the singular values of A^T B. Those are exact to
    rounding, whereas the root of an eigenvalue that should be zero is as large as the root of the
    rounding; and A^T B is small where there are few pictures.
    """
    product = _factor(a).T @ _factor(b)
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _factor(covariance: np.ndarray) -> np.ndarray:
    """A with A A^T = C; a column for each eigenvalue that is not rounding."""
    values, vectors = np.linalg.eigh(covariance)
    rounding = np.finfo(np.float64).eps * len(values) * max(values[-1], 0.0)
    kept = values > rounding
    return vectors[:, kept] * np.sqrt(values[kept])
