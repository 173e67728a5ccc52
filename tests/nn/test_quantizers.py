"""FSQ, VQ and LFQ: codes, points, gradients, losses and moving codebooks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.nn.quantizers import FSQ, LFQ, VQ, kmeans, nearest
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from tests.weights import golden

LEVELS = [(8, 5, 5, 5), (8, 6, 5), (7, 5, 5, 5, 5), (4, 3, 3), (8, 8, 8, 6, 5)]


def config_of(n_embd: int, **fields) -> FaceTokenizerConfig:
    return FaceTokenizerConfig(n_embd=n_embd, n_head=1, **fields)


def unprojected(quantizer):
    """The quantiser with identities for its projections."""
    for linear in (quantizer.project_in, quantizer.project_out):
        linear.kernel[...] = jnp.eye(len(linear.bias[...]))
    return quantizer


def fsq(levels) -> FSQ:
    config = config_of(len(levels), quantize_levels=levels)
    return unprojected(FSQ(config, rngs=nnx.Rngs(0)))


def lfq(bits: int = 3) -> LFQ:
    config = config_of(bits, quantize_codebook_size=2**bits)
    return unprojected(LFQ(config, rngs=nnx.Rngs(0)))


def vq(embed, decay: float = 0.8, weight: float = 1.0) -> VQ:
    embed = jnp.asarray(embed, jnp.float32)
    config = config_of(
        embed.shape[1],
        quantize_codebook_size=embed.shape[0],
        quantize_decay=decay,
        quantize_commitment_weight=weight,
    )
    quantizer = VQ(config, rngs=nnx.Rngs(0))
    quantizer.embed[...] = quantizer.embed_avg[...] = embed
    return quantizer


@pytest.mark.parametrize("levels", LEVELS, ids=str)
def test_fsq_is_the_originals(levels):
    arrays, name = golden("fsq_tables"), "_".join(map(str, levels))
    quantizer, z = fsq(levels), jnp.asarray(arrays[f"{name}.z"])
    np.testing.assert_allclose(quantizer.bound(z), arrays[f"{name}.bound"], rtol=0, atol=1e-5)
    quantized = quantizer(z)
    np.testing.assert_array_equal(quantized.codes, arrays[f"{name}.indices"])
    np.testing.assert_allclose(quantized.latent, arrays[f"{name}.quantised"], rtol=0, atol=1e-6)
    codes = jnp.arange(np.prod(levels))
    stride = 7 if len(codes) > 5000 else 1
    np.testing.assert_array_equal(quantizer.code_to_point(codes[::stride]), arrays[f"{name}.codes"])


@pytest.mark.parametrize("levels", LEVELS, ids=str)
def test_fsq_codes_and_points_are_a_bijection(levels):
    quantizer, codes = fsq(levels), np.arange(np.prod(levels))
    points = np.asarray(quantizer.code_to_point(jnp.asarray(codes)))
    assert len(np.unique(points, axis=0)) == len(codes)
    # The latent that is bounded to exactly this point, and its code.
    level = np.asarray(levels, np.float64)
    offset = np.where(level % 2, 0, 0.5)
    half = (level - 1) * 1.001 / 2
    z = np.arctanh((points * (level // 2) + offset) / half) - np.arctanh(offset / half)
    quantized = quantizer(jnp.asarray(z, jnp.float32)[None])
    np.testing.assert_array_equal(quantized.codes[0], codes)
    np.testing.assert_allclose(quantized.latent[0], points, rtol=0, atol=1e-6)
    np.testing.assert_allclose(quantizer.codes_to_latent(quantized.codes)[0], points, atol=1e-6)


@pytest.mark.parametrize(("levels", "low", "high"), [((8,), -4, 3), ((5,), -2, 2), ((2,), -1, 0)])
def test_fsq_bounds_even_and_odd_levels(levels, low, high):
    z = jnp.linspace(-50, 50, 2001)[:, None]
    rounded = np.round(np.asarray(fsq(levels).bound(z)))
    np.testing.assert_array_equal(np.unique(rounded), np.arange(low, high + 1))
    assert (np.diff(rounded[:, 0]) >= 0).all()
    assert fsq(levels)(z).codes.max() == levels[0] - 1


def test_fsq_passes_gradients_straight_through():
    quantizer = fsq((8, 5))
    z = jnp.array([[0.3, -0.7], [-1.2, 0.1]])
    gradient = jax.grad(lambda z: quantizer(z).latent.sum())(z)
    bounded = jax.grad(lambda z: (quantizer.bound(z) / jnp.array([4, 2])).sum())(z)
    np.testing.assert_allclose(gradient, bounded, rtol=1e-6)
    assert np.asarray(gradient).all()


def test_fsq_has_no_auxiliary_loss_and_no_statistics():
    quantized = fsq((8, 5))(jnp.ones((1, 2, 2)), train=True)
    assert (float(quantized.auxiliary_loss), quantized.statistics) == (0, {})


@pytest.mark.parametrize("quantizer", [fsq((8, 5, 5, 5)), lfq(11)], ids=["fsq", "lfq"])
def test_codes_outside_the_codebook_wrap(quantizer):
    size = 1000 if isinstance(quantizer, FSQ) else 2048
    outside = jnp.array([-1, -2, size, size + 1, 3 * size + 7])
    inside = jnp.array([size - 1, size - 2, 0, 1, 7])
    np.testing.assert_array_equal(quantizer.code_to_point(outside), quantizer.code_to_point(inside))


def test_negative_vq_codes_count_from_the_end():
    quantizer = vq(np.arange(8).reshape(4, 2))
    np.testing.assert_array_equal(
        quantizer.codes_to_latent(jnp.array([[-1, -2]])), [[[6, 7], [4, 5]]]
    )


def test_lfq_puts_the_most_significant_bit_first():
    quantizer = lfq()
    np.testing.assert_array_equal(
        quantizer(jnp.array([[1.0, -1, -1], [-1, -1, 1], [1, 1, 0]])).codes, [4, 1, 6]
    )
    codes = jnp.arange(8)
    points = quantizer.code_to_point(codes)
    np.testing.assert_array_equal(points[6], [1, 1, -1])
    np.testing.assert_array_equal(quantizer(points).codes, codes)
    np.testing.assert_array_equal(quantizer(0.1 * points).latent, points)


def test_lfq_passes_gradients_straight_through():
    weights = jnp.array([1.0, 2, 3])
    gradient = jax.grad(lambda z: (lfq()(z).latent * weights).sum())(jnp.array([0.3, -2, 0.1]))
    np.testing.assert_array_equal(gradient, weights)


def test_lfq_auxiliary_loss_by_hand():
    z = np.array([[[0.02, -0.01], [0.01, 0.015]], [[-0.02, 0.0], [0.5, -0.7]]])
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    scores = np.exp(200 * z.reshape(4, 2) @ corners.T)
    share = scores / scores.sum(-1, keepdims=True)

    def entropy(p):
        return -np.sum(p * np.log(np.maximum(p, 1e-5)), -1)

    commitment = np.mean((z - np.where(z > 0, 1, -1)) ** 2)
    expected = 0.1 * (entropy(share).mean() - entropy(share.mean(0))) + 0.25 * commitment
    quantizer, latent = lfq(2), jnp.asarray(z, jnp.float32)
    assert float(quantizer(latent, train=True).auxiliary_loss) == pytest.approx(expected, rel=1e-5)
    assert float(quantizer(latent).auxiliary_loss) == 0


def test_vq_takes_the_nearest_vector():
    embed, points = (
        np.asarray(jax.random.normal(jax.random.key(i), shape))
        for i, shape in enumerate([(50, 6), (3, 40, 6)])
    )
    distances = np.linalg.norm(points[..., None, :] - embed, axis=-1)
    codes = vq(embed)(jnp.asarray(points)).codes
    np.testing.assert_array_equal(codes, distances.argmin(-1))
    np.testing.assert_array_equal(nearest(jnp.asarray(embed), jnp.asarray(embed)), np.arange(50))


def test_vq_moves_its_codebook_by_hand():
    quantizer = vq([[0, 0], [4, 0], [0, 9]], decay=0.75)
    quantizer.cluster_size[...] = jnp.array([2.0, 1, 4])
    latent = jnp.array([[[1.0, 0], [0, 1], [5, 1]]])  # two near the first vector, one the second
    quantized = quantizer(latent, train=True)
    np.testing.assert_array_equal(quantized.codes, [[0, 0, 1]])
    moved = quantized.statistics
    size = np.array([0.75 * 2 + 0.25 * 2, 0.75 + 0.25, 3])
    sums = np.array([[0.25, 0.25], [3 + 1.25, 0.25], [0, 6.75]])
    np.testing.assert_allclose(moved["cluster_size"], size, rtol=1e-6)
    np.testing.assert_allclose(moved["embed_avg"], sums, rtol=1e-6)
    smoothed = (size + 1e-5) / (size.sum() + 3e-5) * size.sum()
    np.testing.assert_allclose(moved["embed"], sums / smoothed[:, None], rtol=1e-6)
    np.testing.assert_array_equal(quantizer.embed[...], [[0, 0], [4, 0], [0, 9]])
    assert quantizer(latent).statistics == {}


def test_vq_commitment_by_hand_and_gradients():
    quantizer = vq([[0, 0], [4, 0]], weight=0.5)
    latent = jnp.array([[[1.0, 2], [3, 0]]])
    quantized = quantizer(latent, train=True)
    assert float(quantized.auxiliary_loss) == pytest.approx(0.5 * (1 + 4 + 1) / 4)
    assert float(quantizer(latent).auxiliary_loss) == 0
    np.testing.assert_array_equal(quantized.latent, [[[0, 0], [4, 0]]])
    gradient = jax.grad(lambda z: quantizer(z, train=True).latent.sum())(latent)
    np.testing.assert_array_equal(gradient, jnp.ones_like(latent))
    gradient = jax.grad(lambda z: quantizer(z, train=True).auxiliary_loss)(latent)
    np.testing.assert_allclose(gradient, [[[0.25, 0.5], [-0.25, 0]]])


def test_kmeans_finds_separated_clusters():
    centres = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    noise = np.random.default_rng(0).normal(0, 0.1, (25, 4, 2))
    points = jnp.asarray((centres + noise).reshape(-1, 2), jnp.float32)
    # A start in which two points share a cluster may stay there: the best of a few starts.
    starts = jax.random.split(jax.random.key(0), 8)
    found = jax.vmap(lambda key: kmeans(points, 4, key))(starts)
    error = jnp.abs(found["embed"] - found["embed"].round(-1)).max((1, 2))
    best = jax.tree.map(lambda x: np.asarray(x[jnp.argmin(error)]), found)
    means = best["embed"]
    order = np.lexsort(means.round().T)
    np.testing.assert_allclose(means[order], centres + noise.mean(0), atol=1e-4)
    np.testing.assert_array_equal(best["cluster_size"], [25] * 4)
    np.testing.assert_allclose(best["embed_avg"], 25 * means, rtol=1e-5)


def test_kmeans_with_fewer_points_than_clusters():
    points = jnp.array([[0.0, 1], [5, 5]])
    found = kmeans(points, 4, jax.random.key(0))
    assert np.isfinite(np.asarray(found["embed"])).all()
    assert {tuple(row) for row in np.asarray(found["embed"]).tolist()} <= {(0, 1), (5, 5)}
    assert float(found["cluster_size"].sum()) == 2
    counts = np.asarray(found["cluster_size"])[:, None]
    np.testing.assert_array_equal(found["embed_avg"], found["embed"] * counts)


@pytest.mark.parametrize("kind", ["fsq", "vq", "lfq"])
def test_codes_are_int32(kind):
    quantizer = {"fsq": fsq((4, 3)), "vq": vq(np.eye(2)), "lfq": lfq(2)}[kind]
    assert quantizer(jnp.ones((1, 3, 2), jnp.bfloat16)).codes.dtype == jnp.int32
    assert quantizer(jnp.ones((1, 3, 2), jnp.bfloat16)).latent.dtype == jnp.float32


def test_the_codebooks_size_follows_from_the_kind():
    options = {"quantize_codebook_size": 64, "quantize_levels": (4, 3, 3)}
    assert FaceTokenizerConfig(**options).codebook_size == 36
    assert FaceTokenizerConfig(**options, quantize_type="vq").codebook_size == 64
    assert FaceTokenizerConfig(**options, quantize_type="lfq").codebook_size == 64
    with pytest.raises(ValueError, match="power of two"):
        FaceTokenizerConfig(quantize_type="lfq", quantize_codebook_size=100)
