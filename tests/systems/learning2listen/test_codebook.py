"""A codebook of moving averages, whose dead codes start anew."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.systems.learning2listen.codebook import Codebook
from jaxreact.systems.learning2listen.config import MotionCoderConfig
from jaxreact.systems.learning2listen.kinds import CODER
from jaxreact.systems.learning2listen.losses import coder_loss
from jaxreact.training.codebook import code_share, codebook_use
from jaxreact.training.state import join, split_model

CONFIG = MotionCoderConfig(
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=8,
    n_embed=24,
    codebook="averages",
    codebook_decay=0.75,
)


def rows(tag: int, batch: int = 5) -> jax.Array:
    return jax.random.normal(jax.random.key(tag), (batch, 4, CONFIG.hidden_size))


def book(uses: np.ndarray | None = None) -> Codebook:
    made = Codebook(CONFIG, rngs=nnx.Rngs(3))
    assert made.averages is not None
    if uses is not None:
        made.averages.uses[...] = jnp.asarray(uses)
        made.averages.sums[...] = made.embedding[...] * made.averages.uses[...][:, None]
    return made


def is_among(x: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Which rows of x are rows of `those`."""
    return (x[:, None] == those[None]).all(-1).any(-1)


@pytest.mark.parametrize("layout", ["time", "groups"])
def test_all_codes_start_at_rows_of_the_first_batch(layout):
    made = Codebook(dataclasses.replace(CONFIG, code_layout=layout), rngs=nnx.Rngs(3))
    latent = rows(0)
    quantized = made(latent, jax.random.key(1))
    given = np.asarray(made.rows(latent)).reshape(-1, CONFIG.hidden_size)
    found = np.asarray(made.rows(quantized.latent)).reshape(-1, CONFIG.hidden_size)
    apart = np.linalg.norm(found[:, None] - given[None], axis=-1).min(1)
    np.testing.assert_allclose(apart, 0, atol=1e-5)
    kept = quantized.statistics["averages"]["uses"]
    used = np.bincount(np.asarray(quantized.codes).ravel(), minlength=CONFIG.n_embed)
    np.testing.assert_allclose(kept, 0.75 + 0.25 * used * 24 / 20, rtol=1e-6)


def test_dead_codes_start_anew_and_others_move_as_averages():
    uses = np.where(np.arange(24) % 3 == 0, 0.09, 1.5).astype(np.float32)
    made, latent = book(uses), rows(0)
    flat = np.asarray(latent).reshape(-1, CONFIG.hidden_size)
    assert made.averages is not None
    start = made.averages.restarted(made.embedding[...], jnp.asarray(flat), jax.random.key(1))
    dead, before = uses < 0.1, np.asarray(made.embedding[...])
    assert is_among(np.asarray(start.vectors)[dead], flat).all()
    np.testing.assert_array_equal(np.asarray(start.vectors)[~dead], before[~dead])
    np.testing.assert_array_equal(start.sums[dead], start.vectors[dead])
    np.testing.assert_array_equal(start.uses, np.where(dead, 1, uses))
    quantized = made(latent, jax.random.key(1))
    codes = np.asarray(quantized.codes).ravel()
    for code in range(24):
        mine, scale = flat[codes == code], 24 / len(flat)
        count = 0.75 * start.uses[code] + 0.25 * scale * len(mine)
        total = 0.75 * start.sums[code] + 0.25 * scale * mine.sum(0)
        np.testing.assert_allclose(
            quantized.statistics["embedding"][code], total / count, rtol=1e-5, atol=1e-6
        )


def test_only_the_key_decides_and_without_one_nothing_moves():
    made, latent = book(), rows(0)
    once, again, other = (made(latent, jax.random.key(n)).statistics for n in (1, 1, 2))
    jax.tree.map(np.testing.assert_array_equal, once, again)
    assert np.abs(once["embedding"] - other["embedding"]).max() > 0.1
    still = made(latent)
    assert not still.statistics
    np.testing.assert_array_equal(still.codes, made(latent, None).codes)


def test_the_loss_is_the_commitment_alone():
    made, latent = book(np.ones(24, np.float32)), rows(0)
    quantized = made(latent)
    error = np.asarray(made.codes_to_latent(quantized.codes) - latent)
    np.testing.assert_allclose(quantized.auxiliary_loss, 0.25 * (error**2).mean(), rtol=1e-5)


@pytest.mark.parametrize("name", ["codebook_decay", "codebook_least_use"])
@pytest.mark.wrong_arguments
def test_numbers_that_cannot_be(name):
    for value in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"{name} {value} is not between 0 and 1"):
            dataclasses.replace(CONFIG, **{name: value})


def trained_use(kind: Any, steps: int = 150) -> float:
    """Share of the codes that a VQ-VAE uses for windows of curves after some training."""
    config = dataclasses.replace(CONFIG, codebook=kind, codebook_decay=0.9)
    model = runs.new_model(CODER, config, 0)
    graph, params, statistics = split_model(model)
    optimizer = optax.adam(3e-3)
    time = jnp.arange(32) / 32
    turns, places = (jax.random.uniform(jax.random.key(n), (64, 1, 83)) * 6 for n in (1, 2))
    motion = jnp.sin(turns * time[:, None] + places)

    def loss(params: Any, statistics: Any, key: jax.Array) -> Any:
        value, (_, made) = coder_loss(nnx.merge(graph, params, statistics), motion, True, key)
        return value, made

    @jax.jit
    def step(params: Any, statistics: Any, state: Any, number: jax.Array) -> Any:
        key = jax.random.fold_in(jax.random.key(0), number)
        (_, made), gradients = jax.value_and_grad(loss, has_aux=True)(params, statistics, key)
        updates, state = optimizer.update(gradients, state, params)
        moved = made.quantized.statistics
        statistics = join(join(statistics, made.norms), {"quantize": moved} if moved else {})
        return optax.apply_updates(params, updates), statistics, state, made.quantized.codes

    state, codes = optimizer.init(params), jnp.zeros((64, 4), jnp.int32)
    for number in range(steps):
        params, statistics, state, codes = step(params, statistics, state, number)
    return float(codebook_use(code_share(codes, config.n_embed))["codebook/use"])


@pytest.mark.slow
def test_more_codes_are_used_than_of_a_codebook_trained_by_the_loss():
    """(behaviour L21)"""
    ours, theirs = trained_use("averages"), trained_use("gradients")
    assert ours > 0.9
    assert theirs < 0.7
