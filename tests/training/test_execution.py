"""How a step is carried out does not change what it computes, but for rounding."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from jaxreact.nn.precision import computed_in
from jaxreact.sharding import devices_of_a_batch
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.losses import predictor_loss, tokenizer_loss
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.training.optimizer import OptimizerConfig, make_optimizer
from jaxreact.training.state import TrainState, create_state, split_model
from jaxreact.training.step import Execution, make_evaluation, make_step

ROWS, FRAMES = 4, 64


def tokenizer(**changes: Any) -> FaceTokenizer:
    config = FaceTokenizerConfig(
        n_embd=32, n_head=2, n_layer=2, input_init_std=0.5, quantize_codebook_size=16, **changes
    )
    return FaceTokenizer(config, rngs=nnx.Rngs(0))


def predictor(**changes: Any) -> ReactPredictor:
    sizes: dict[str, Any] = {"n_embd": 32, "n_head": 2, "n_layer": 2, "block_size": FRAMES}
    config = PredictorConfig(
        vocab_size=36, vocab_face_size=36, init_std=0.1, gate_init=1.0, **sizes, **changes
    )
    return ReactPredictor(config, rngs=nnx.Rngs(0))


def batch(model: nnx.Module) -> Any:
    draw = np.random.default_rng(0)
    if isinstance(model, FaceTokenizer):
        shapes = ((ROWS, 32, 58), (ROWS, 32, 25))
        return tuple(jnp.asarray(draw.normal(size=s), jnp.float32) for s in shapes)
    sound = jnp.asarray(draw.normal(size=(ROWS, 2 * FRAMES, 512)), jnp.float32)
    tokens = [jnp.asarray(draw.integers(2, 38, (ROWS, FRAMES))) for _ in range(3)]
    return sound, *tokens, jnp.ones((ROWS, FRAMES), bool)


def loss(model: Any, frozen: Any, batch: Any, key: Any) -> Any:
    if isinstance(model, FaceTokenizer):
        value, (metrics, quantized) = tokenizer_loss(model, *batch, train=True, key=key)
        changed = {"quantize": quantized.statistics} if quantized.statistics else {}
        return value, (metrics, changed)
    value, metrics = predictor_loss(model, *batch, key=key)
    return value, (metrics, {})


def updated(model: nnx.Module, execution: Execution = Execution()) -> tuple[dict, Any, Any]:  # noqa: B008
    """Metrics, new state and jaxpr's text of one step."""
    graph, params, statistics = split_model(model)
    optimizer = make_optimizer(OptimizerConfig(), 1e-3)
    key = jax.random.key(0)
    step = make_step(graph, loss, optimizer, lambda path: True, key, None, execution)
    params, statistics = jax.tree.map(jnp.array, (params, statistics))  # a step consumes them
    state = create_state(params, statistics, optimizer)
    text = str(jax.make_jaxpr(step)(state, {}, batch(model)))
    state, metrics = step(state, {}, batch(model))
    return metrics, state, text


def assert_same_moments(one: TrainState, other: TrainState) -> None:
    """After one step these are the gradients; parameters would magnify what is almost zero."""
    pairs = zip(jax.tree.leaves(one.opt_state), jax.tree.leaves(other.opt_state), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("make", [tokenizer, pytest.param(predictor, marks=pytest.mark.slow)])
def test_accumulated_gradients_are_those_of_the_whole_batch(make):
    whole, state, _ = updated(make(dropout=0.0))
    parts, in_parts, _ = updated(make(dropout=0.0), Execution(accumulate=2))
    assert float(parts["loss"]) == pytest.approx(float(whole["loss"]), rel=1e-6)
    assert float(parts["norm/gradients"]) == pytest.approx(float(whole["norm/gradients"]), rel=1e-5)
    assert_same_moments(state, in_parts)


@pytest.mark.slow
def test_parts_draw_dropout_of_their_own():
    """With equal rows, equal draws would give equal parts, and so the norm of one part's."""
    halves = updated(tokenizer(dropout=0.5), Execution(accumulate=2))[0]
    quarters = updated(tokenizer(dropout=0.5), Execution(accumulate=4))[0]
    assert float(halves["loss"]) != float(quarters["loss"])


@pytest.mark.slow
def test_each_part_moves_vqs_codebook():
    _, whole, _ = updated(tokenizer(quantize_type="vq"))
    _, parts, _ = updated(tokenizer(quantize_type="vq"), Execution(accumulate=2))
    before = split_model(tokenizer(quantize_type="vq"))[2]["quantize"]["cluster_size"]
    decay = 0.8
    kept = (decay * before).sum(), (decay**2 * before).sum()
    for state, old, new in ((whole, kept[0], 1 - decay), (parts, kept[1], (1 - decay**2) / 2)):
        total = state.statistics["quantize"]["cluster_size"].sum()
        assert float(total) == pytest.approx(float(old + new * ROWS * 32), rel=1e-5)


@pytest.mark.parametrize("remat", [pytest.param(True, marks=pytest.mark.slow), None])
@pytest.mark.parametrize("make", [tokenizer, pytest.param(predictor, marks=pytest.mark.slow)])
def test_remat_changes_nothing_but_the_memory(make, remat):
    """Dropout is on: the second computation must draw as the first. None saves on a processor."""
    metrics, state, text = updated(make(dropout=0.1, remat=False))
    again, other, remat_text = updated(make(dropout=0.1, remat=remat))
    assert "remat" not in text
    assert "remat" in remat_text or "checkpoint" in remat_text
    assert float(metrics["loss"]) == pytest.approx(float(again["loss"]), rel=1e-6)
    assert_same_moments(state, other)


@pytest.mark.parametrize("make", [tokenizer, pytest.param(predictor, marks=pytest.mark.slow)])
def test_bfloat16_computes_products_in_bfloat16_and_keeps_float32_parameters(make):
    full, _, text = updated(make(dropout=0.0, remat=False))  # each product once in the text
    half, state, half_text = updated(make(dropout=0.0, remat=False), Execution("bfloat16"))
    assert "bf16" not in text
    products = re.findall(r"\w+:(b?f)(?:16|32)\[([\d,]*)\] = dot_general", half_text)
    whole = [shape.split(",") for kind, shape in products if kind == "f"]
    # In float32 are attention's scores and what comes back through them (batch, heads, time, ...),
    # and the quantiser: three projections to its four channels and back, and their gradients.
    quantizer = [shape for shape in whole if len(shape) < 4]
    assert len(quantizer) == (6 if make is tokenizer else 0)
    assert len(whole) - len(quantizer) < 0.25 * len(products)
    assert {leaf.dtype for leaf in jax.tree.leaves(state.params)} == {jnp.dtype("float32")}
    assert float(half["loss"]) == pytest.approx(float(full["loss"]), rel=0.02)
    assert float(half["loss"]) != float(full["loss"])
    assert half["loss"].dtype == jnp.float32


def test_norms_and_the_quantiser_stay_float32():
    params = split_model(tokenizer())[1]
    cast = jax.tree_util.tree_leaves_with_path(computed_in(params, "bfloat16"))
    for path, leaf in cast:
        name = jax.tree_util.keystr(path)
        kept = "ln_" in name or "quantize" in name
        assert leaf.dtype == (jnp.float32 if kept else jnp.bfloat16), name


def test_a_step_and_an_evaluation_cut_batches_over_the_mesh():
    seen = []

    def noting(*given: Any) -> Any:
        seen.append(devices_of_a_batch())
        return loss(*given)

    model = tokenizer()
    graph, params, statistics = split_model(model)
    optimizer = make_optimizer(OptimizerConfig(), 1e-3)
    state, key = create_state(params, statistics, optimizer), jax.random.key(0)
    mesh = AbstractMesh((4, 2), ("data", "fsdp"), axis_types=(AxisType.Auto,) * 2)
    execution = Execution(metrics=NamedSharding(mesh, PartitionSpec()))
    step = make_step(graph, noting, optimizer, lambda path: True, key, None, execution)
    step.trace(state, {}, batch(model))
    make_evaluation(graph, noting, execution).trace(state, {}, batch(model), key)
    assert seen == [8, 8]
    assert devices_of_a_batch() == 1


def test_the_quantiser_sees_float32_latents():
    model = tokenizer()
    coeffs, emotion = batch(model)
    graph, params, statistics = split_model(model)
    evaluate = make_evaluation(graph, loss, Execution("bfloat16"))
    metrics = evaluate(
        create_state(params, statistics, make_optimizer(OptimizerConfig(), 1e-3)),
        {},
        (coeffs, emotion),
        jax.random.key(0),
    )
    assert metrics["quantizer_loss"].dtype == jnp.float32
    half = nnx.merge(graph, computed_in(params, "bfloat16"), statistics)
    assert half.quantize(half.latent(coeffs)).latent.dtype == jnp.float32
