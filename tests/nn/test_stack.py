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
    """By the rule alone, and only where there are keys: nothing is computed for a processor."""
    policies: list[Any] = []

    def note(body: Any, *, prevent_cse: bool, policy: Any) -> Any:
        assert not prevent_cse
        policies.append(policy)
        return body

    monkeypatch.setattr(jax, "checkpoint", note)
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    expected = {"products": [jax.checkpoint_policies.dots_with_no_batch_dims_saveable]}
    applied(blocks(2), [jax.random.key(0), jax.random.key(1)], remat)
    assert policies == expected.get(kept, [] if kept == "all" else [None])
    policies.clear()
    applied(blocks(2), [None, None], remat)
    assert not policies


def blocks(count: int) -> list[nnx.Linear]:
    """Linear maps of one number: x -> (i + 1) x + i."""
    made = [nnx.Linear(1, 1, rngs=nnx.Rngs(0)) for _ in range(count)]
    for number, block in enumerate(made):
        block.kernel[...] = jnp.full((1, 1), number + 1.0)
        block.bias[...] = jnp.full((1,), float(number))  # pyright: ignore[reportOptionalSubscript]
    return made


def applied(blocks: list[nnx.Linear], keys: list[Any], remat: bool | None) -> float:
    def step(block: nnx.Linear, x: jax.Array, key: Any) -> jax.Array:
        return block(x) if key is None else block(x) + jax.random.key_data(key)[-1]

    x = jnp.ones((1, 1))
    return float(stack.apply_blocks(blocks, step, x, keys, remat)[0, 0])


@pytest.mark.parametrize("remat", [None, True, False])
def test_blocks_come_in_their_order_each_with_its_key(remat):
    assert applied(blocks(3), [None] * 3, remat) == ((1 * 1 + 0) * 2 + 1) * 3 + 2
    keys = [jax.random.key(number) for number in (10, 20, 30)]
    assert applied(blocks(3), keys, remat) == ((1 * 1 + 0 + 10) * 2 + 1 + 20) * 3 + 2 + 30
    assert applied([], [], remat) == 1


def test_each_block_has_a_key():
    with pytest.raises(ValueError, match="1 keys for 2 blocks"):
        applied(blocks(2), [None], False)


def test_a_program_holds_one_block_however_many_there_are():
    """But for the weights of each, which are joined for the loop: a line or two a tensor."""

    def program(count: int) -> str:
        config = FaceTokenizerConfig(n_embd=8, n_head=2, n_layer=count)
        graph, params = nnx.split(FaceTokenizer(config, rngs=nnx.Rngs(0)), nnx.Param)[:2]
        traced = jax.jit(lambda params: nnx.merge(graph, params)(COEFFS)).trace(params)
        return traced.lower(lowering_platforms=("cuda",)).as_text()

    three, six = program(3), program(6)
    assert six.count("stablehlo.dot_general") == three.count("stablehlo.dot_general") > 3 * 6
    assert six.count("\n") < 1.3 * three.count("\n")
