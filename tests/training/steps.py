"""Some updates of a model by the harness's own step."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from flax import nnx

from jaxreact.training.optimizer import OptimizerConfig, learning_rate, make_optimizer
from jaxreact.training.state import TrainState, create_state, split_model
from jaxreact.training.step import Execution, make_step


def everything(path: tuple[str, ...]) -> bool:
    return True


def steps(
    model: nnx.Module,
    loss: Any,
    batches: Sequence[Any],
    config: OptimizerConfig,
    trainable: Callable[[tuple[str, ...]], bool] = everything,
) -> tuple[TrainState, list[dict[str, Any]]]:
    """The state after an update by each batch, in float32, and each update's metrics."""
    graph, params, statistics = split_model(model)
    schedule = learning_rate(config, 1, len(batches))
    optimizer = make_optimizer(config, schedule)

    def kept(model: nnx.Module, frozen: Any, batch: Any, key: jax.Array) -> Any:
        value, (metrics, changed) = loss(model, frozen, batch, key)
        return value, (metrics, changed or statistics)

    step = make_step(
        graph,
        kept,
        optimizer,
        trainable,
        jax.random.key(0),
        execution=Execution("float32"),
    )
    state, said = create_state(params, statistics, optimizer), []
    for batch in batches:
        state, metrics = step(state, {}, batch)
        said.append(jax.device_get(metrics))
    return state, said
