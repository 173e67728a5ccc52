"""The train state, and the one jitted step of both stages."""

from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax
from flax import nnx

from jaxreact.models.quantizers import Statistics
from jaxreact.training.objectives import Metrics
from jaxreact.training.optimizer import Trainable, trainable_mask

Tree = Any


@flax.struct.dataclass
class TrainState:
    """Everything that a step changes; trees are nested plain dicts.

    A pytree: its leaves are arrays, or, in an abstract state, their shapes.
    """

    step: Tree
    """Number of updates made, an int32 scalar."""
    params: Tree
    statistics: Tree
    """A quantiser's running statistics; empty for all but VQ."""
    opt_state: Tree


def split_model(model: nnx.Module) -> tuple[nnx.GraphDef, Tree, Tree]:
    """Graph definition, parameters and statistics of a model, the last two as plain dicts."""
    graph, params, statistics = nnx.split(model, nnx.Param, Statistics)
    return graph, nnx.to_pure_dict(params), nnx.to_pure_dict(statistics)


def join(params: Tree, statistics: Tree) -> Tree:
    """Both kinds of variables in one nested dict, as checkpoints of a model hold them."""
    joined = dict(params)
    for name, value in statistics.items():
        below = joined.get(name)
        joined[name] = join(below, value) if isinstance(below, dict) else value
    return joined


def create_state(
    params: Tree, statistics: Tree, optimizer: optax.GradientTransformation
) -> TrainState:
    """The state before the first step."""
    return TrainState(jnp.zeros((), jnp.int32), params, statistics, optimizer.init(params))


Loss = Callable[..., tuple[jax.Array, tuple[Metrics, Tree]]]
"""(model, frozen, batch, key) -> (loss, (metrics, new statistics)); `frozen` are the variables of
models that are used but not trained."""


def make_step(
    graph: nnx.GraphDef,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    trainable: Trainable,
    key: jax.Array,
) -> Callable[[TrainState, Tree, Tree], tuple[TrainState, Metrics]]:
    """The jitted update (state, frozen, batch) -> (state, metrics); the given state is consumed.

    Its randomness is `key` folded with the number of the step, so that a resumed run continues as
    an uninterrupted one.
    """

    def step(state: TrainState, frozen: Tree, batch: Tree) -> tuple[TrainState, Metrics]:
        def objective(params: Tree):
            model = nnx.merge(graph, params, state.statistics)
            return loss(model, frozen, batch, jax.random.fold_in(key, state.step))

        (_, (metrics, statistics)), gradients = jax.value_and_grad(objective, has_aux=True)(
            state.params
        )
        mask = trainable_mask(state.params, trainable)
        gradients = _where(mask, gradients, jax.tree.map(jnp.zeros_like, gradients))
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
        updates = _where(mask, updates, jax.tree.map(jnp.zeros_like, updates))
        params = optax.apply_updates(state.params, updates)
        metrics = metrics | {
            "norm/gradients": optax.global_norm(gradients),
            "norm/parameters": optax.global_norm(params),
            "norm/updates": optax.global_norm(updates),
        }
        return TrainState(state.step + 1, params, statistics, opt_state), metrics

    return jax.jit(step, donate_argnums=0)


def _where(mask: Tree, chosen: Tree, other: Tree) -> Tree:
    return jax.tree.map(lambda use, a, b: a if use else b, mask, chosen, other)


def make_evaluation(
    graph: nnx.GraphDef, loss: Loss
) -> Callable[[TrainState, Tree, Tree, jax.Array], Metrics]:
    """The jitted metrics of a batch: (state, frozen, batch, key) -> metrics, nothing updated."""

    def evaluate(state: TrainState, frozen: Tree, batch: Tree, key: jax.Array) -> Metrics:
        return loss(nnx.merge(graph, state.params, state.statistics), frozen, batch, key)[1][0]

    return jax.jit(evaluate)
