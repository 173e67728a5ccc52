"""What a step hands on: key, rate, masks and statistics; with a model of two matrices."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxreact.nn.quantizers import Statistics
from jaxreact.training.microbatches import accumulated
from jaxreact.training.state import TrainState, create_state, split_model
from jaxreact.training.step import Execution, make_evaluation, make_step

KEY = jax.random.key(5)
RATE = 0.5


class Toy(nnx.Module):
    """Two matrices, and a count of the batches seen."""

    def __init__(self):
        self.moved = nnx.Param(jnp.full((2, 2), 3.0))
        self.still = nnx.Param(jnp.full((2, 2), 4.0))
        self.count = Statistics(jnp.zeros(()))


def loss(model: Toy, frozen: Any, batch: jax.Array, key: jax.Array) -> Any:
    """Its gradient is the batch's mean, for all entries of both matrices."""
    value = jnp.mean(batch) * (jnp.sum(model.moved[...]) + jnp.sum(model.still[...]))
    share = jnp.array([0.5, 0.5, 0.0, 0.0])
    draw = jax.random.uniform(key)
    metrics = {"loss": value, "draw": draw, "rows": jnp.sum(batch), "code_share": share}
    return value, (metrics, {"count": model.count[...] + jnp.sum(batch)})


def start(optimizer: optax.GradientTransformation, step: int = 0) -> TrainState:
    params, statistics = split_model(Toy())[1:]
    state = create_state(params, statistics, optimizer)
    return dataclasses.replace(state, step=jnp.array(step, jnp.int32))


def updated(step: int = 0, execution: Execution = Execution()) -> tuple[TrainState, dict]:  # noqa: B008
    """State and metrics after update number `step` (counted from 0), of which `still` is spared."""
    optimizer = optax.chain(optax.add_decayed_weights(0.1), optax.sgd(RATE))
    update = make_step(
        split_model(Toy())[0],
        loss,
        optimizer,
        lambda path: path == ("moved",),
        KEY,
        lambda step: 10.0 + step,
        execution,
    )
    batch = jnp.array([1.0, 2.0, 3.0, 6.0])
    return update(start(optimizer, step), {}, batch)


def test_each_step_draws_from_its_own_key():
    for step in (0, 1, 7):
        state, metrics = updated(step)
        expected = jax.random.uniform(jax.random.fold_in(KEY, step))
        assert float(metrics["draw"]) == pytest.approx(float(expected))
        assert int(state.step) == step + 1


def test_what_a_step_says_of_itself():
    state, metrics = updated(3)
    np.testing.assert_allclose(state.params["moved"], 3 - RATE * (3 + 0.1 * 3))
    np.testing.assert_array_equal(state.params["still"], 4.0)  # neither gradient nor decay
    assert float(metrics["learning_rate"]) == 13
    assert float(metrics["norm/gradients"]) == pytest.approx(2 * 3)
    assert float(metrics["norm/updates"]) == pytest.approx(2 * RATE * 3.3)
    after = 3 - RATE * 3.3
    assert float(metrics["norm/parameters"]) == pytest.approx(2 * np.hypot(after, 4))
    assert float(metrics["codebook/use"]) == 0.5
    assert float(metrics["codebook/perplexity"]) == pytest.approx(2)
    assert "code_share" not in metrics
    assert float(state.statistics["count"]) == 12


def test_parts_of_a_batch_draw_keys_and_rows_of_their_own():
    state, metrics = updated(2, Execution(accumulate=2))
    keys = jax.random.split(jax.random.fold_in(KEY, 2), 2)
    draws = [float(jax.random.uniform(key)) for key in keys]
    assert float(metrics["draw"]) == pytest.approx(np.mean(draws))
    assert float(metrics["rows"]) == 6  # the mean of 1 + 3 and 2 + 6
    np.testing.assert_allclose(state.params["moved"], 3 - RATE * 3.3)
    assert float(state.statistics["count"]) == 12  # each part has counted on from the last


def test_metrics_of_parts_are_averaged_entry_by_entry():
    def gradients_of(params, statistics, frozen, rows, key):
        return params, {"rows": rows}, statistics

    state = start(optax.sgd(1.0))
    metrics = accumulated(gradients_of, state, {}, jnp.arange(6.0), KEY, 2)[1]
    np.testing.assert_array_equal(metrics["rows"], [0.5, 2.5, 4.5])  # of 0 2 4 and 1 3 5


def test_a_step_consumes_the_state_and_nothing_else():
    """So that a state is never held twice."""
    optimizer = optax.sgd(1.0)
    update = make_step(split_model(Toy())[0], loss, optimizer, lambda path: True, KEY)
    given, frozen, batch = start(optimizer), {"weight": jnp.ones(2)}, jnp.ones(4)
    update(given, frozen, batch)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(given.params))
    assert not frozen["weight"].is_deleted()
    assert not batch.is_deleted()


def test_a_part_is_every_nth_row():
    seen = []

    def gradients_of(params, statistics, frozen, rows, key):
        jax.debug.callback(lambda x: seen.append(x.tolist()), rows, ordered=True)
        return params, {}, statistics

    state = start(optax.sgd(1.0))
    accumulated(gradients_of, state, {}, jnp.arange(6.0), KEY, 3)
    jax.effects_barrier()
    assert seen == [[0, 3], [1, 4], [2, 5]]


def test_an_evaluation_changes_nothing_and_uses_the_key_it_is_given():
    optimizer = optax.sgd(1.0)
    state = start(optimizer)
    state = dataclasses.replace(state, statistics={"count": jnp.array(5.0)})

    def with_count(model, frozen, batch, key):
        value, (metrics, statistics) = loss(model, frozen, batch, key)
        return value, (metrics | {"count": model.count[...] + frozen}, statistics)

    evaluate = make_evaluation(split_model(Toy())[0], with_count)
    metrics = evaluate(state, jnp.array(2.0), jnp.ones(4), KEY)
    assert float(metrics["draw"]) == pytest.approx(float(jax.random.uniform(KEY)))
    assert float(metrics["count"]) == 7
    assert metrics["code_share"].shape == (4,)  # validation sums shares before it tells their use


@pytest.mark.parametrize("precision", ["float32", "tensorfloat32", "bfloat16"])
def test_both_compute_in_the_precision_they_are_given(precision):
    def dtype_of(model, frozen, batch, key):
        size = jnp.array(model.moved[...].dtype.itemsize, jnp.float32)
        return jnp.sum(model.moved[...]).astype(jnp.float32), ({"bytes": size}, {})

    graph, execution, optimizer = split_model(Toy())[0], Execution(precision), optax.sgd(1.0)
    size = 2 if precision == "bfloat16" else 4
    evaluate = make_evaluation(graph, dtype_of, execution)
    assert float(evaluate(start(optimizer), {}, jnp.ones(4), KEY)["bytes"]) == size
    update = make_step(graph, dtype_of, optimizer, lambda path: True, KEY, None, execution)
    state, metrics = update(start(optimizer), {}, jnp.ones(4))
    assert float(metrics["bytes"]) == size
    assert state.params["moved"].dtype == jnp.float32
    assert "learning_rate" not in metrics
