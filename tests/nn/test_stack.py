"""What is kept of a stack of blocks: less with remat, on a processor too."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jaxreact.nn import stack
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig

COEFFS = jnp.ones((64, 32, 58))


def bytes_for_a_gradient(remat: bool | None) -> int:
    """Memory that the compiler plans for besides arguments and results."""
    config = FaceTokenizerConfig(n_embd=32, n_head=2, n_layer=6, dropout=0.1, remat=remat)
    graph, params = nnx.split(FaceTokenizer(config, rngs=nnx.Rngs(0)), nnx.Param)[:2]

    def loss(params: Any) -> jax.Array:
        coeffs, emotion, _ = nnx.merge(graph, params)(COEFFS, train=True, key=jax.random.key(0))
        return jnp.sum(coeffs**2) + jnp.sum(emotion**2)

    analysis = jax.jit(jax.grad(loss)).lower(params).compile().memory_analysis()
    assert analysis is not None
    return analysis.temp_size_in_bytes


@pytest.mark.slow
def test_remat_saves_memory():
    everything, products, nothing = map(bytes_for_a_gradient, (False, None, True))
    assert products < everything / 2
    assert nothing < products / 1.5


@pytest.mark.parametrize(
    ("remat", "platform", "kept"),
    [
        (None, "cpu", "products"),
        (None, "gpu", "all"),
        (True, "cpu", "nothing"),
        (True, "gpu", "nothing"),
        (False, "cpu", "all"),
        (False, "gpu", "all"),
    ],
)
def test_what_is_kept(monkeypatch, remat, platform, kept):
    """By the rule alone, nothing computed: "all" is the loop of Python's."""
    scanned: list[Any] = []
    monkeypatch.setattr(stack, "_scanned", lambda *arguments: scanned.append(arguments[-1]))
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    policies = {"products": jax.checkpoint_policies.dots_with_no_batch_dims_saveable}
    stack.apply_blocks([nnx.Module()], lambda block, x, key: x, 0, [1], remat)
    assert scanned == ([] if kept == "all" else [policies.get(kept)])
    scanned.clear()
    assert stack.apply_blocks([nnx.Module()], lambda block, x, key: x + 1, 0, [None], remat) == 1
    assert not scanned


def test_each_block_has_a_key():
    with pytest.raises(ValueError, match="shorter"):
        stack.apply_blocks([nnx.Module()] * 2, lambda block, x, key: x, 0, [None], False)
