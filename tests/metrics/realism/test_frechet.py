"""The Fréchet distance where it is known in closed form, and statistics that grow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxreact.errors import UserError
from jaxreact.metrics.realism.frechet import FeatureStatistics, frechet_distance


def exactly(mean, covariance, count: int = 10) -> FeatureStatistics:
    """Statistics with this mean and this covariance."""
    scatter = np.asarray(covariance, np.float64) * (count - 1)
    return FeatureStatistics(count, np.asarray(mean, np.float64), scatter)


def rotation(size: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(3).standard_normal((size, size)))[0]


def test_commuting_covariances():
    basis = rotation(4)
    one, other = np.array([1.0, 4.0, 9.0, 0.25]), np.array([4.0, 1.0, 0.0, 0.25])
    first = exactly(np.zeros(4), basis * one @ basis.T)
    second = exactly(np.full(4, 3.0), basis * other @ basis.T)
    expected = 4 * 9 + ((np.sqrt(one) - np.sqrt(other)) ** 2).sum()  # 36 + 1 + 1 + 9
    assert expected == 47
    assert frechet_distance(first, second) == pytest.approx(47, abs=1e-9)
    assert frechet_distance(second, first) == pytest.approx(47, abs=1e-9)


def test_covariances_that_do_not_commute():
    """tr (C1 C2)^(1/2) of two 2 x 2 matrices is (tr C1 C2 + 2 (det C1 C2)^(1/2))^(1/2)."""
    one, other = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.0]])
    root = np.sqrt(np.trace(one @ other) + 2 * np.sqrt(np.linalg.det(one @ other)))
    found = frechet_distance(exactly([0, 0], one), exactly([0, 0], other))
    assert found == pytest.approx(5 + 6 - 2 * root, abs=1e-12)


def test_agrees_with_the_eigenvalues_of_the_product():
    """As torchmetrics computes it: eigenvalues of C1 C2, which is not symmetric."""
    rng = np.random.default_rng(0)
    sets = [rng.standard_normal((90, 12)) * scale + scale for scale in (1.0, 1.7)]
    means, covariances = [x.mean(0) for x in sets], [np.cov(x.T) for x in sets]
    product = covariances[0] @ covariances[1]
    roots = np.real(np.sqrt(np.linalg.eigvals(product).astype(complex)))
    shift = means[0] - means[1]
    expected = shift @ shift + sum(map(np.trace, covariances)) - 2 * roots.sum()
    found = frechet_distance(*map(FeatureStatistics.of, sets))
    assert found == pytest.approx(expected, rel=1e-12)


def test_equal_sets_and_shifted_ones():
    features = np.random.default_rng(0).standard_normal((50, 8))
    shift = np.arange(8.0)
    statistics = FeatureStatistics.of(features)
    assert frechet_distance(statistics, statistics) == pytest.approx(0, abs=1e-12)
    moved = FeatureStatistics.of(features + shift)
    assert frechet_distance(statistics, moved) == pytest.approx(shift @ shift, rel=1e-12)


@pytest.mark.parametrize("counts", [(2, 2), (2, 40), (7, 5)])
def test_fewer_pictures_than_features(counts):
    """With sets on lines or planes the distance is that within the space they span."""
    rng = np.random.default_rng(1)
    small = [rng.standard_normal((count, 3)) for count in counts]
    basis = rotation(64)[:3]
    inside = frechet_distance(*map(FeatureStatistics.of, small))
    found = frechet_distance(*(FeatureStatistics.of(x @ basis) for x in small))
    assert found == pytest.approx(inside, rel=1e-9)
    assert found > 0


def test_singular_and_equal_is_zero_not_negative():
    features = 1e4 + np.random.default_rng(2).standard_normal((5, 64))
    statistics = FeatureStatistics.of(features)
    other = FeatureStatistics.of(features[::-1])
    assert 0 <= frechet_distance(statistics, other) < 1e-6
    constant = FeatureStatistics.of(np.ones((3, 64)))
    assert frechet_distance(constant, constant) == 0


@given(st.lists(st.integers(0, 7), max_size=6), st.integers(0, 2**31))
def test_statistics_do_not_depend_on_how_features_come(chunks, seed):
    """Streamed, merged from two accumulators, or at once."""
    rng = np.random.default_rng(seed)
    features = 100 + rng.standard_normal((sum(chunks) + 2, 5))
    pieces = np.split(features, np.cumsum(chunks))
    streamed = FeatureStatistics.of(pieces[0])
    for piece in pieces[1:]:
        streamed += FeatureStatistics.of(piece)
    half = len(features) // 2
    merged = FeatureStatistics.of(features[:half]) + FeatureStatistics.of(features[half:])
    for found in (streamed, merged):
        assert found.count == len(features)
        np.testing.assert_allclose(found.mean, features.mean(0), rtol=1e-12)
        np.testing.assert_allclose(found.covariance, np.cov(features.T), rtol=1e-9, atol=1e-11)


def test_float32_features_are_summed_in_float64():
    features = np.float32(3000) + np.random.default_rng(0).random((4000, 2), np.float32)
    found = FeatureStatistics.of(features)
    assert found.mean.dtype == found.scatter.dtype == np.float64
    np.testing.assert_allclose(found.covariance, np.cov(features.T.astype(float)), rtol=1e-9)


def test_too_few_pictures_and_other_features():
    pair = FeatureStatistics.of(np.eye(3))
    with pytest.raises(UserError, match="at least 2 pictures, not 1"):
        frechet_distance(pair, FeatureStatistics.of(np.ones((1, 3))))
    with pytest.raises(ValueError, match="3 and 4 features"):
        frechet_distance(pair, FeatureStatistics.of(np.eye(4)))
