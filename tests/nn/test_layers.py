"""What is kept of a stack of blocks: less with remat, on a processor too."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jaxreact.nn.dropout import hashed_bits, seed_of, split
from jaxreact.nn.layers import Layers
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
    """By the rule alone, and only where there is a seed: nothing is computed for a processor."""
    policies: list[Any] = []

    def note(body: Any, *, prevent_cse: bool, policy: Any) -> Any:
        assert not prevent_cse
        policies.append(policy)
        return body

    monkeypatch.setattr(jax, "checkpoint", note)
    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    expected = {"products": [jax.checkpoint_policies.dots_with_no_batch_dims_saveable]}
    applied(2, seed_of(jax.random.key(0)), remat)
    assert policies == expected.get(kept, [] if kept == "all" else [None])
    policies.clear()
    applied(2, None, remat)
    assert not policies


def maps(count: int) -> list[nnx.Linear]:
    """Linear maps of one number: x -> (i + 1) x + i."""
    made = [nnx.Linear(1, 1, rngs=nnx.Rngs(0)) for _ in range(count)]
    for number, layer in enumerate(made):
        layer.kernel[...] = jnp.full((1, 1), number + 1.0)
        layer.bias[...] = jnp.full((1,), float(number))  # pyright: ignore[reportOptionalSubscript]
    return made


def drawn(seed: Any) -> Any:
    return 0.0 if seed is None else hashed_bits(seed, (1,))[0] / 2.0**32


def applied(count: int, seed: Any, remat: bool | None, last: bool = False) -> float:
    """With `last` the last layer's step is another, of which 100 are taken away."""

    def step(layer: nnx.Linear, x: jax.Array, seed: Any, offset: float) -> jax.Array:
        return layer(x) + drawn(seed) + offset

    def other(layer: nnx.Linear, x: jax.Array, seed: Any, offset: float) -> jax.Array:
        return step(layer, x, seed, offset) - 100

    final = other if last else None
    layers = Layers(maps(count))
    return float(layers(step, jnp.ones((1, 1)), 7.0, seed=seed, remat=remat, final=final)[0, 0])


@pytest.mark.parametrize("remat", [None, True, False])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("last", [False, True])
def test_layers_come_in_their_order_each_with_its_seed(remat, count, last):
    for seed in (None, seed_of(jax.random.key(0))):
        expected = 1.0
        for number, own in enumerate(split(seed, count)):
            expected = expected * (number + 1) + number + float(drawn(own)) + 7
        found = applied(count, seed, remat, last)
        assert found == pytest.approx(expected - 100 * last, rel=1e-6)


def test_each_layer_can_be_looked_at():
    layers = Layers(maps(3))
    assert len(layers) == 3
    assert [float(layer.kernel[0, 0]) for layer in layers] == [1, 2, 3]
    assert float(layers[-1].kernel[0, 0]) == 3
    for outside in (3, -4):
        with pytest.raises(IndexError, match=f"layer {outside} of 3"):
            layers[outside]


def test_a_program_holds_one_layer_however_many_there_are():
    def program(count: int) -> str:
        config = FaceTokenizerConfig(n_embd=8, n_head=2, n_layer=count)
        graph, params = nnx.split(FaceTokenizer(config, rngs=nnx.Rngs(0)), nnx.Param)[:2]
        traced = jax.jit(lambda params: nnx.merge(graph, params)(COEFFS)).trace(params)
        return traced.lower(lowering_platforms=("cuda",)).as_text()

    three, six = program(3), program(6)
    assert six.count("stablehlo.dot_general") == three.count("stablehlo.dot_general") > 6
    assert six.count("\n") == three.count("\n")
