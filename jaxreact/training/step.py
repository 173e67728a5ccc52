"""The one jitted step of both stages, and the jitted metrics of a batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import optax
from flax import nnx
from jax.sharding import NamedSharding

from jaxreact.nn.compiling import compiler_options
from jaxreact.nn.precision import Precision, computed_in, products_in
from jaxreact.sharding import over
from jaxreact.training.codebook import Metrics, with_codebook_use
from jaxreact.training.memory import give_back_memory
from jaxreact.training.microbatches import accumulated
from jaxreact.training.optimizer import Trainable
from jaxreact.training.state import TrainState
from jaxreact.training.update import updated

Tree = Any

Loss = Callable[..., tuple[jax.Array, tuple[Metrics, Tree]]]
"""(model, frozen, batch, key) -> (loss, (metrics, new statistics)); `frozen` are the variables of
models that are used but not trained."""


@dataclass(frozen=True)
class Execution:
    """How a step is carried out; none of it changes what is computed, but for rounding."""

    precision: Precision = "tensorfloat32"
    accumulate: int = 1
    """Parts into which a batch is cut; their gradients are averaged. Each part draws its own masks
    and dropout, and moves VQ's codebook."""
    state: TrainState | None = None
    """Sharding of each leaf of a new state; None leaves it to the compiler."""
    metrics: NamedSharding | None = None
    """Sharding of the metrics; over its mesh batches are cut."""


def make_step(
    graph: nnx.GraphDef,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    trainable: Trainable,
    key: jax.Array,
    schedule: Callable[[Any], jax.Array] | None = None,
    execution: Execution = Execution(),
) -> Callable[[TrainState, Tree, Tree], tuple[TrainState, Metrics]]:
    """The jitted update (state, frozen, batch) -> (state, metrics); the given state is consumed.

    `schedule`, if given, adds the learning rate to the metrics. Randomness is `key` folded with the
    number of the step, so that a resumed run continues as an uninterrupted one.
    """

    def gradients_of(params: Tree, statistics: Tree, frozen: Tree, batch: Tree, key: jax.Array):
        def objective(params: Tree):
            model = nnx.merge(graph, computed_in(params, execution.precision), statistics)
            return loss(model, frozen, batch, key)

        with products_in(execution.precision), over(execution.metrics):
            found = jax.value_and_grad(objective, has_aux=True)(params)
        (_, (metrics, statistics)), gradients = found
        return gradients, metrics, statistics

    def step(state: TrainState, frozen: Tree, batch: Tree) -> tuple[TrainState, Metrics]:
        give_back_memory()  # here when tracing: what the first state was made of, gone by now
        step_key = jax.random.fold_in(key, state.step)
        gradients, metrics, statistics = accumulated(
            gradients_of, state, frozen, batch, step_key, execution.accumulate
        )
        params, opt_state, norms = updated(
            optimizer, trainable, gradients, state.opt_state, state.params
        )
        if schedule is not None:
            metrics["learning_rate"] = schedule(state.step)
        metrics = with_codebook_use(metrics) | norms
        return TrainState(state.step + 1, params, statistics, opt_state), metrics

    return jax.jit(
        step,
        donate_argnums=0,
        out_shardings=(execution.state, execution.metrics),
        compiler_options=compiler_options(),
    )


def make_evaluation(
    graph: nnx.GraphDef,
    loss: Loss,
    execution: Execution = Execution(),
) -> Callable[[TrainState, Tree, Tree, jax.Array], Metrics]:
    """The jitted metrics of a batch: (state, frozen, batch, key) -> metrics, nothing updated.

    Where the model has codes, "code_share" (codebook_size,) says how often each occurs.
    """

    def evaluate(state: TrainState, frozen: Tree, batch: Tree, key: jax.Array) -> Metrics:
        model = nnx.merge(graph, computed_in(state.params, execution.precision), state.statistics)
        with products_in(execution.precision), over(execution.metrics):
            return loss(model, frozen, batch, key)[1][0]

    return jax.jit(evaluate, out_shardings=execution.metrics, compiler_options=compiler_options())
