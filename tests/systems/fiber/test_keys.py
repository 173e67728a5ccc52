"""Every place that drops something draws from a seed of its own, at the model's rate."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.nn import attend, attention, layers
from jaxreact.nn import dropout as dropout_module
from jaxreact.nn.attention import Block
from jaxreact.nn.layers import Layers
from jaxreact.systems.fiber import streams, tokenizer
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
    """Rates of dropouts, and the seeds that they draw by or that are split into others."""

    rates: list[float] = field(default_factory=list)
    seeds: list[jax.Array] = field(default_factory=list)


@pytest.fixture
def noted(monkeypatch) -> Noted:
    seen, dropout, hashed_bits = Noted(), dropout_module.dropout, dropout_module.hashed_bits

    def note(x: jax.Array, rate: float, seed: Any) -> jax.Array:
        seen.rates.append(rate)
        return dropout(x, rate, seed)

    def note_seed(seed: Any, shape: tuple[int, ...]) -> jax.Array:
        seen.seeds.append(seed)
        return hashed_bits(seed, shape)

    for module in (attend, attention, streams, tokenizer):
        monkeypatch.setattr(module, "dropout", note)
    for module in (dropout_module, layers):
        monkeypatch.setattr(module, "hashed_bits", note_seed)
    return seen


def dropouts(noted: Noted, kind: runs.Kind, config: Any, *inputs: jax.Array) -> int:
    """How many there are in a model of zeros. Checks that each seed serves once."""
    graph, state = runs.abstract_model(kind, config)
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
    with jax.disable_jit():  # so that a loop over blocks is walked through, and seeds are numbers
        nnx.merge(graph, zeros)(*inputs, key=jax.random.key(0))
    assert len(np.unique(np.asarray(noted.seeds), axis=0)) == len(noted.seeds)
    assert set(noted.rates) == {RATE}
    assert len(noted.seeds) > len(noted.rates)
    return len(noted.rates)


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


class Draw(CrossModalBlock, Block):
    """Stands in for a block: puts what its seed draws behind the x that it is given."""

    def __init__(self, number: int):
        self.number = nnx.Param(jnp.full((), number, jnp.uint32))

    def __call__(self, x: jax.Array, *given: Any) -> jax.Array:
        seed = next(part for part in given if part is not None and part.dtype == jnp.uint32)
        drawn = dropout_module.hashed_bits(seed, (1,)) + self.number[...]
        return jnp.append(x[1:], drawn.astype(jnp.float32))


SEED = dropout_module.seed_of(jax.random.key(1))
DRAWS = [dropout_module.hashed_bits(seed, (1,))[0] for seed in dropout_module.split(SEED, 3)]
FOUND = (np.asarray(DRAWS) + np.arange(3, dtype=np.uint32)).astype(np.float32)
EMPTY = jnp.zeros(3)


def draws() -> Layers:
    return Layers([Draw(number) for number in range(3)])


@pytest.mark.parametrize("remat", [False, True, None])
def test_blocks_one_after_the_other_draw_anew(remat):
    np.testing.assert_array_equal(run(draws(), EMPTY, None, SEED, remat), FOUND)


@pytest.mark.parametrize("remat", [False, True, None])
@pytest.mark.parametrize("last", [None, 1])
def test_cross_modal_blocks_draw_anew(remat, last):
    found = fuse(draws(), EMPTY, EMPTY, None, None, SEED, remat, last)
    np.testing.assert_array_equal(found, FOUND)
