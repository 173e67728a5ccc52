"""Every place that drops something draws from a key of its own, at the model's rate."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.nn import attention
from jaxreact.systems.fiber import streams, tokenizer
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.streams import CrossModalBlock, fuse, run
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig

RATE = 0.25
LAYERS = 2
BLOCK, CROSS_BLOCK = 3, 5
"""Dropouts of a block: attention's weights and output (twice in a cross-modal one), and the MLP."""


@pytest.fixture
def noted(monkeypatch) -> list[tuple[float, jax.Array]]:
    """Rate and key of each dropout, which does nothing else."""
    seen: list[tuple[float, jax.Array]] = []

    def note(x: jax.Array, rate: float, key: Any) -> jax.Array:
        seen.append((rate, jax.random.key_data(key)))
        return x

    for module in (attention, streams, tokenizer):
        monkeypatch.setattr(module, "dropout", note)
    return seen


def keys_of(noted: Any, kind: runs.Kind, config: Any, *inputs: jax.Array) -> np.ndarray:
    """The keys that a model of zeros has drawn by; only they are computed, not the model."""
    graph, state = runs.abstract_model(kind, config)

    def keys(key: jax.Array) -> jax.Array:
        noted.clear()
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
        nnx.merge(graph, zeros)(*inputs, key=key)
        assert {rate for rate, _ in noted} == {RATE}
        return jnp.stack([data for _, data in noted])

    return np.unique(np.asarray(jax.jit(keys)(jax.random.key(0))), axis=0)


def test_the_predictors(noted):
    config = PredictorConfig(
        vocab_size=6,
        vocab_face_size=6,
        block_size=4,
        patch_size=2,
        n_embd=4,
        n_head=1,
        n_layer=LAYERS,
        dropout=RATE,
        remat=False,
    )
    tokens = jnp.ones((1, 4), jnp.int32)
    keys = keys_of(noted, PREDICTOR, config, jnp.zeros((1, 8, 512)), tokens, tokens)
    speaker = 2 + LAYERS * (3 * BLOCK + CROSS_BLOCK)
    assert len(keys) == len(noted) == speaker + 1 + LAYERS * (BLOCK + CROSS_BLOCK)


def test_the_tokenizers(noted):
    sizes: dict[str, Any] = {"n_embd": 4, "n_head": 1, "n_layer": LAYERS, "block_size": 4}
    config = FaceTokenizerConfig(dropout=RATE, remat=False, **sizes)
    keys = keys_of(noted, TOKENIZER, config, jnp.zeros((1, 4, 58)))
    assert len(keys) == len(noted) == 3 * (1 + LAYERS * BLOCK)


class Draw(CrossModalBlock):
    """Stands in for a block: puts what its key draws behind the x that it is given."""

    def __init__(self):
        pass

    def __call__(self, x: jax.Array, *given: Any) -> jax.Array:
        key = next(part for part in given if part is not None and part.dtype == KEY.dtype)
        return jnp.append(x[1:], jax.random.uniform(key))


KEY = jax.random.key(1)
DRAWS = np.asarray(jax.vmap(jax.random.uniform)(jax.random.split(KEY, 3)))


@pytest.mark.parametrize("remat", [False, True, None])
def test_blocks_one_after_the_other_draw_anew(remat):
    blocks = nnx.List([Draw() for _ in range(3)])
    found = run(blocks, jnp.zeros(3), None, KEY, remat)
    np.testing.assert_allclose(found, DRAWS)


@pytest.mark.parametrize("remat", [False, True, None])
@pytest.mark.parametrize("last", [None, 1])
def test_cross_modal_blocks_draw_anew(remat, last):
    blocks = nnx.List([Draw() for _ in range(3)])
    found = fuse(blocks, jnp.zeros(3), jnp.zeros(3), None, None, KEY, remat, last)
    np.testing.assert_allclose(found, DRAWS)
