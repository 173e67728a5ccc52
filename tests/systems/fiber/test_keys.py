"""Every place that drops something draws from a key of its own, at the model's rate."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.nn import attention, layers
from jaxreact.nn.layers import Layers
from jaxreact.systems.fiber import predictor, streams, tokenizer
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.streams import CrossModalBlock, fuse, run
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig

RATE = 0.25
LAYERS = 2
BLOCK, CROSS_BLOCK = 3, 5
"""Dropouts of a block: attention's weights and output (twice in a cross-modal one), and the MLP."""


@dataclass
class Noted:
    """Rates and keys of dropouts, and keys that were split into others."""

    rates: set[float] = field(default_factory=set)
    drawn: list[jax.Array] = field(default_factory=list)
    split: list[jax.Array] = field(default_factory=list)


@pytest.fixture
def noted(monkeypatch) -> Noted:
    """What dropouts, which do nothing else here, and splits are given."""
    seen, split = Noted(), attention.split

    def note(x: jax.Array, rate: float, key: Any) -> jax.Array:
        seen.rates.add(rate)
        seen.drawn.append(jax.random.key_data(key))
        return x

    def note_split(key: Any, count: int) -> list[Any]:
        seen.split.append(jax.random.key_data(key))
        return split(key, count)

    for module in (attention, streams, tokenizer):
        monkeypatch.setattr(module, "dropout", note)
    for module in (attention, layers, streams, tokenizer, predictor):
        monkeypatch.setattr(module, "split", note_split)
    return seen


def dropouts(noted: Noted, kind: runs.Kind, config: Any, *inputs: jax.Array) -> int:
    """How many there are in a model of zeros, of which nothing is computed but the keys.

    Checks that each key serves once, to draw or to be split.
    """
    graph, state = runs.abstract_model(kind, config)

    def keys(key: jax.Array) -> jax.Array:
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
        nnx.merge(graph, zeros)(*inputs, key=key)
        return jnp.stack(noted.drawn + noted.split)

    with jax.disable_jit():  # so that a loop over blocks is walked through, and keys are numbers
        used = np.asarray(keys(jax.random.key(0)))
    assert len(np.unique(used, axis=0)) == len(used)
    assert noted.rates == {RATE}
    return len(noted.drawn)


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
    found = dropouts(noted, PREDICTOR, config, jnp.zeros((1, 8, 512)), tokens, tokens)
    speaker = 2 + LAYERS * (3 * BLOCK + CROSS_BLOCK)
    assert found == speaker + 1 + LAYERS * (BLOCK + CROSS_BLOCK)


def test_the_tokenizers(noted):
    sizes: dict[str, Any] = {"n_embd": 4, "n_head": 1, "n_layer": LAYERS, "block_size": 4}
    config = FaceTokenizerConfig(dropout=RATE, remat=False, **sizes)
    found = dropouts(noted, TOKENIZER, config, jnp.zeros((1, 4, 58)))
    assert found == 3 * (1 + LAYERS * BLOCK)


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
    blocks = Layers([Draw() for _ in range(3)])
    found = run(blocks, jnp.zeros(3), None, KEY, remat)
    np.testing.assert_allclose(found, DRAWS)


@pytest.mark.parametrize("remat", [False, True, None])
@pytest.mark.parametrize("last", [None, 1])
def test_cross_modal_blocks_draw_anew(remat, last):
    blocks = Layers([Draw() for _ in range(3)])
    found = fuse(blocks, jnp.zeros(3), jnp.zeros(3), None, None, KEY, remat, last)
    np.testing.assert_allclose(found, DRAWS)
