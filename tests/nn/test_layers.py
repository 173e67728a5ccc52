"""What is kept of a stack of blocks: less with remat, on a processor too."""

from collections.abc import Iterator
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from jaxreact.nn.dropout import hashed_bits, seed_of, split
from jaxreact.nn.layers import Layers, keep
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


def forwards(layer: nnx.Linear, x: jax.Array, seed: Any) -> jax.Array:
    return jnp.sin(keep(jnp.cos(layer(x))))


@pytest.mark.parametrize(("remat", "kept"), [(None, "some"), (True, "nothing"), (False, "all")])
def test_what_is_kept(remat, kept):
    """Of products with weights, of what `keep` marks and of the rest, for the way back."""

    def total(x: jax.Array) -> jax.Array:
        return Layers(maps(2))(forwards, x, seed=seed_of(jax.random.key(0)), remat=remat).sum()

    again = [
        inner.primitive.name
        for equation in equations(jax.make_jaxpr(jax.grad(total))(jnp.ones((1, 1))).jaxpr)
        if equation.primitive.name == "remat2"
        for inner in equation.params["jaxpr"].eqns
    ]
    # The gradients take a product and a cosine themselves.
    expected = {"some": (1, 1), "nothing": (2, 2), "all": (0, 0)}[kept]
    assert (again.count("dot_general"), again.count("cos")) == expected


def equations(jaxpr: Any) -> Iterator[Any]:
    """Those of inner functions too."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            if hasattr(value, "jaxpr") or hasattr(value, "eqns"):
                yield from equations(getattr(value, "jaxpr", value))


def test_nothing_is_done_for_a_way_back_without_a_seed():
    text = str(jax.make_jaxpr(lambda x: Layers(maps(2))(forwards, x))(jnp.ones((1, 1))))
    assert "scan" in text
    assert "remat2" not in text


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


class Squared(nnx.Module):
    """Multiplies by the square of its number, which it may square beforehand."""

    asked: ClassVar[list[tuple[tuple[int, ...], bool]]] = []

    def __init__(self, number: float, *, prepares: bool):
        self.number, self.prepares = nnx.Param(jnp.array(number)), prepares
        self.is_prepared = False

    def prepare(self, training: bool) -> bool:
        self.asked.append((self.number.shape, training))
        if self.prepares:
            self.number = nnx.Param(self.number[...] ** 2)
            self.is_prepared = True
        return self.prepares

    def __call__(self, x: jax.Array) -> jax.Array:
        number = self.number[...]
        return x * (number if self.is_prepared else number**2)


class Nested(nnx.Module):
    """Layers in a layer."""

    def __init__(self, number: float):
        self.own = Squared(number, prepares=True)
        self.inner = Layers([Squared(number, prepares=True)] * 2)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.inner(through, self.own(x))


def through(layer: Any, x: jax.Array, seed: Any) -> jax.Array:
    return layer(x)


@pytest.mark.parametrize("prepares", [True, False])
def test_what_is_made_of_weights_beforehand_is_made_once(prepares):
    Squared.asked.clear()
    layers = Layers([Squared(number, prepares=prepares) for number in (2.0, 3.0, 5.0)])

    def total(layers: Layers, seed: Any = None) -> jax.Array:
        return layers(through, jnp.ones(()), seed=seed, final=through)  # the last is not asked

    assert total(layers) == total(layers, seed_of(jax.random.key(0))) == 900
    # One layer's, whose variables stand for those of all.
    assert Squared.asked == [((), False), ((), True)]
    gradient = nnx.grad(total)(layers)["each"]["number"]
    assert jnp.allclose(gradient[...], jnp.array([900.0, 600, 360]))
    assert layers.each.number.shape == (3,)
    assert not layers.each.is_prepared


def test_layers_in_layers_prepare_themselves():
    Squared.asked.clear()
    assert Layers([Nested(2.0), Nested(3.0)])(through, jnp.ones(())) == 6.0**6
    assert set(Squared.asked) == {((), False)}
