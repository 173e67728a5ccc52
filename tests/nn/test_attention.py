"""What attention, norm and MLP promise."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.nn.attend import heads_mask
from jaxreact.nn.attention import (
    MLP,
    Block,
    CrossAttention,
    SelfAttention,
    attend,
    gelu,
    layer_norm,
)
from jaxreact.nn.dropout import seed_of
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.predictor import ReactPredictor

BATCH, QUERIES, KEYS, FEATURES, HEADS = 3, 4, 5, 12, 2
CONFIG = PredictorConfig(n_embd=FEATURES, n_head=HEADS, n_layer=2, dropout=0.5)
MASK = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]], bool)


def normal(seed: int, *shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(seed), shape)


def inputs() -> tuple[jax.Array, jax.Array, jax.Array]:
    query = normal(0, BATCH, QUERIES, FEATURES)
    return query, normal(1, BATCH, KEYS, FEATURES), normal(2, BATCH, KEYS, FEATURES)


def softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def test_attention_by_hand():
    query, key, value = (np.asarray(x, np.float64) for x in inputs())
    width = FEATURES // HEADS
    expected = np.zeros_like(query)
    for sample in range(BATCH):
        for head in range(HEADS):
            part = np.s_[sample, :, head * width : (head + 1) * width]
            scores = query[part] @ key[part].T / math.sqrt(width)
            scores[:, ~MASK[sample]] = -np.inf
            expected[part] = softmax(scores) @ value[part]
    output = attend(*inputs(), jnp.asarray(MASK), HEADS)
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-6)


def test_a_masked_key_never_matters():
    (query, key, value), mask = inputs(), jnp.asarray(MASK)
    hidden = ~mask[..., None]
    loud = 1e3 * normal(3, BATCH, KEYS, FEATURES)
    output = attend(query, key, value, mask, HEADS)
    other = attend(query, jnp.where(hidden, loud, key), jnp.where(hidden, loud, value), mask, HEADS)
    np.testing.assert_array_equal(output, other)
    unmasked = attend(query, jnp.where(hidden, loud, key), value, None, HEADS)
    assert np.abs(unmasked - output).max() > 0.1


def test_a_sample_without_any_key_attends_uniformly_whatever_the_others_hold():
    query, key, value = inputs()
    mask = jnp.asarray(MASK).at[1].set(False)
    output = attend(1e3 * query, key, value, mask, HEADS)
    mean = jnp.broadcast_to(value[1].mean(0), (QUERIES, FEATURES))
    np.testing.assert_allclose(output[1], mean, rtol=0, atol=1e-6)
    alone = attend(1e3 * query[:1], key[:1], value[:1], mask[:1], HEADS)
    np.testing.assert_allclose(output[:1], alone, rtol=0, atol=1e-6)


def test_gradients_are_finite_where_everything_is_masked():
    mask = jnp.asarray(MASK).at[1].set(False)

    def total(query, key, value):
        return jnp.sum(attend(1e3 * query, key, value, mask, HEADS) ** 2)

    query, key, value = jax.grad(total, (0, 1, 2))(*inputs())
    assert all(np.isfinite(x).all() for x in (query, key, value))
    # What is masked gets none, except by the row that attends to everything.
    hidden = ~MASK
    hidden[1] = False
    assert not np.asarray(value)[hidden].any()
    assert not np.asarray(key)[hidden].any()
    assert np.asarray(value)[1].all()


def for_heads(mask: np.ndarray, mixed: bool) -> np.ndarray:
    shape = (len(mask), HEADS, QUERIES, KEYS)
    found = heads_mask(jnp.asarray(mask), HEADS, mixed)
    assert found is not None
    return np.broadcast_to(np.asarray(found)[:, :, None], shape)


def test_mixed_masks_are_the_originals_repeat():
    expected = np.tile(MASK, (HEADS, QUERIES)).reshape(BATCH, HEADS, QUERIES, KEYS)
    np.testing.assert_array_equal(for_heads(MASK, mixed=True), expected)
    own = for_heads(MASK, mixed=False)
    np.testing.assert_array_equal(own, np.broadcast_to(MASK[:, None, None], own.shape))
    assert (expected != own).any()
    assert heads_mask(None, HEADS, mixed=True) is None


def test_mixed_masks_change_nothing_for_one_sample():
    one = MASK[:1]
    np.testing.assert_array_equal(for_heads(one, mixed=True), for_heads(one, mixed=False))


def test_scores_are_float32_even_in_half_precision():
    # Scores about 50, whose bfloat16 neighbours are 0.25 apart: rounding them shows in the weights.
    half = [x.astype(jnp.bfloat16) for x in inputs()]
    half[0] *= 20
    query, key, value = (x.astype(jnp.float32) for x in half)
    exact = attend(query, key, value, None, HEADS)
    output = attend(half[0], half[1], half[2], None, HEADS)
    assert output.dtype == jnp.bfloat16
    np.testing.assert_allclose(output.astype(jnp.float32), exact, rtol=0, atol=0.03)


def test_a_block_drops_by_its_seed():
    block = Block(CONFIG, rngs=nnx.Rngs(0))
    x = normal(1, 1, 3, FEATURES)
    np.testing.assert_array_equal(block(x), block(x))
    one, other = (block(x, seed=seed_of(jax.random.key(number))) for number in (0, 1))
    assert (one != other).any()


def test_gelu_is_exact():
    x = np.linspace(-9, 9, 2001, dtype=np.float32)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.tolist()]
    np.testing.assert_allclose(gelu(jnp.asarray(x)), exact, rtol=0, atol=2e-6)


def test_attention_weights_are_dropped_after_the_softmax():
    query, key, _ = inputs()
    value = jnp.broadcast_to(jnp.eye(KEYS), (BATCH, KEYS, KEYS))
    query, key = query[..., :KEYS], key[..., :KEYS]
    weights = np.asarray(attend(query, key, value, None, 1))
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
    dropped = np.asarray(attend(query, key, value, None, 1, 0.5, seed_of(jax.random.key(0))))
    kept = dropped != 0
    assert 0.2 < kept.mean() < 0.8
    np.testing.assert_allclose(dropped[kept], 2 * weights[kept], rtol=1e-5)


@pytest.mark.parametrize(
    ("mask_x", "mask_y", "used"),
    [(None, None, None), (None, 1, None), (0, None, MASK[:1]), (0, 2, MASK[:1] & MASK[2:])],
)
def test_which_masks_cross_attention_uses(mask_x, mask_y, used):
    cross = CrossAttention(CONFIG, rngs=nnx.Rngs(0))
    x, y = normal(0, 1, KEYS, FEATURES), normal(1, 1, KEYS, FEATURES)
    masks_x, masks_y = (
        None if i is None else jnp.asarray(MASK[i : i + 1]) for i in (mask_x, mask_y)
    )
    key, value = jnp.split(cross.y_c_attn(y), 2, axis=-1)
    mask = None if used is None else jnp.asarray(used)
    expected = cross.c_proj(attend(cross.x_c_attn(x), key, value, mask, HEADS))
    np.testing.assert_array_equal(cross(x, y, masks_x, masks_y), expected)


def test_self_attention_sees_the_future():
    attention = SelfAttention(CONFIG, rngs=nnx.Rngs(0))
    x = normal(0, 1, KEYS, FEATURES)
    assert (attention(x)[:, 0] != attention(x.at[:, -1].add(1))[:, 0]).any()


def test_causal_patches_by_hand():
    """Queries are the last of the keys; where all that may be seen is masked, nothing later is."""
    query, key, value = inputs()
    output = attend(query, key, value, jnp.asarray(MASK), HEADS, patch=2)
    for number in range(QUERIES):
        position = KEYS - QUERIES + number
        seen = np.s_[:, : 2 * (position // 2 + 1)]
        one = query[:, number : number + 1]
        alone = attend(one, key[seen], value[seen], jnp.asarray(MASK[seen]), HEADS)
        np.testing.assert_allclose(output[:, number : number + 1], alone, rtol=0, atol=1e-6)


def test_mlp_has_an_exact_gelu():
    mlp = MLP(CONFIG, rngs=nnx.Rngs(0))
    inner = normal(0, 1, FEATURES) @ (20 * mlp.c_fc.kernel[...])
    mlp.c_fc.kernel[...] = 20 * mlp.c_fc.kernel[...]
    gelu = np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))(np.asarray(inner))
    expected = gelu @ np.asarray(mlp.c_proj.kernel[...])
    np.testing.assert_allclose(mlp(normal(0, 1, FEATURES)), expected, rtol=0, atol=1e-6)


def test_layer_norm_is_exact_far_from_zero():
    x = np.asarray(normal(0, 7, FEATURES)) * 1e-2 + 100  # E[x^2] - E[x]^2 would be all noise
    exact = np.asarray(x, np.float64)
    centred = exact - exact.mean(-1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    norm = layer_norm(FEATURES, True, nnx.Rngs(0))
    np.testing.assert_allclose(norm(jnp.asarray(x)), expected, rtol=0, atol=0.01)
    assert layer_norm(FEATURES, False, nnx.Rngs(0)).bias is None


def test_initial_deviations_are_gpt2s():
    config = PredictorConfig(n_embd=120, n_head=12, n_layer=8)
    block = Block(config, rngs=nnx.Rngs(0))
    assert np.std(block.attn.c_attn.kernel[...]) == pytest.approx(0.02, rel=0.03)
    for into_stream in (block.attn.c_proj, block.mlp.c_proj):
        assert np.std(into_stream.kernel[...]) == pytest.approx(0.005, rel=0.03)
    biases = [x for path, x in nnx.to_flat_state(nnx.state(block)) if path[-1] == "bias"]
    assert len(biases) == 6
    assert not any(np.asarray(bias[...]).any() for bias in biases)


def test_initial_deviations_follow_the_configuration():
    config = PredictorConfig(n_embd=120, n_head=12, n_layer=2, init_std=0.1)
    model = ReactPredictor(config, rngs=nnx.Rngs(0))
    block = model.lt_cm_transformer.h[0]
    for wide in (block.attn.c_attn, block.attn_cross.y_c_attn, block.mlp.c_fc, model.lm_head):
        assert np.std(wide.kernel[...]) == pytest.approx(0.1, rel=0.03)
    for into_stream in (block.attn.c_proj, block.attn_cross.c_proj, model.wav2vec2_c_proj):
        assert np.std(into_stream.kernel[...]) == pytest.approx(0.05, rel=0.03)
