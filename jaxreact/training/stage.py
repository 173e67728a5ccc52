"""A stage of training: what its recipe says, made into what the loop runs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import nnx

from jaxreact import runs
from jaxreact.nn import attend_fused
from jaxreact.nn.precision import Precision, computed_in, products_in
from jaxreact.sharding import DeviceMesh, host
from jaxreact.training.codebook import Metrics
from jaxreact.training.measured import Measurement, measured
from jaxreact.training.monitor.flops import count_flops
from jaxreact.training.optimizer import OptimizerConfig, learning_rate, make_optimizer
from jaxreact.training.state import TrainState, create_state, split_model
from jaxreact.training.step import Execution, make_evaluation, make_step

Tree = Any

Faces = dict[str, tuple[jax.Array, jax.Array | None]]
"""By name: coefficients (samples, time, 58) as the model has them and, where known, emotion
(samples, time, 25)."""


def _ignore(out: Path) -> None:
    pass


def _unmeasured(state: TrainState, batches: Callable[[], Iterable[Tree]]) -> TrainState:
    return state


def _always(path: tuple[str, ...], phase: int) -> bool:
    return True


@dataclass(frozen=True)
class Recipe:
    """What is particular to a stage. `phase` counts stretches of a training with one objective."""

    kind: runs.Kind
    """Kind of run directory."""
    model: Any
    """The module to train; its `config` goes into config.json."""
    loss: Callable[..., tuple[jax.Array, tuple[Metrics, Tree]]]
    """(model, frozen, batch, key, train, phase) -> (loss, (metrics, new statistics))."""
    show: Callable[[Any, Tree, Tree], Faces]
    """(model, frozen, batch) -> faces of the batch's first clip, for pictures."""
    draw: Callable[[Any, str], dict[str, np.ndarray]]
    """(faces on the host, title) -> RGB pictures (height, width, 3) uint8 by name."""
    config: Any
    """The stage's whole configuration, a dataclass; a resumed run must not change it."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of the models that are used but not trained, which a resumed run keeps too."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What else config.json needs, and what a resumed run must not change; JSON."""
    frozen: Tree = field(default_factory=dict)
    """Variables of models that are used but not trained."""
    statistics: Tree = None
    """First statistics of the quantiser, if not the model's own."""
    measurement: Measurement | None = None
    """How the model's statistics are measured, if a pass over the data does so, not training."""
    phase: Callable[[int], int] = lambda epoch: 0
    """The phase of an epoch (counted from 0)."""
    trainable: Callable[[tuple[str, ...], int], bool] = _always
    """Whether a parameter, by its path, is trained in a phase."""
    write: Callable[[Path], None] = _ignore
    """Puts what else a new run directory holds into it."""


@dataclass(frozen=True)
class Stage:
    """What the loop runs."""

    recipe: Recipe
    mesh: DeviceMesh
    state: TrainState
    """The state to start from, placed."""
    frozen: Tree
    """The recipe's, placed."""
    step: Callable[[int], Callable[[TrainState, Tree, Tree], tuple[TrainState, Metrics]]]
    """The jitted step of an epoch (counted from 0)."""
    evaluate: Callable[[TrainState, Tree, Tree, jax.Array], Metrics]
    """The jitted metrics of a batch."""
    show: Callable[[TrainState, Tree, Tree], Faces]
    """The recipe's, jitted, of a state."""
    operations: Callable[[int, Tree], float]
    """Operations of the step of an epoch, given a batch; without those of rematerialisation."""
    measure: Callable[[TrainState, Callable[[], Iterable[Tree]]], TrainState] = _unmeasured
    """The state with statistics measured over the batches of the whole training split."""


def make_stage(
    recipe: Recipe,
    optimization: OptimizerConfig,
    mesh: DeviceMesh,
    *,
    steps_per_epoch: int,
    epochs: int,
    seed: int,
    precision: Precision = "tensorfloat32",
    accumulate: int = 1,
) -> Stage:
    """Places a recipe's model on the devices and compiles its functions when they are called."""
    graph, params, statistics = split_model(recipe.model)
    statistics = statistics if recipe.statistics is None else recipe.statistics
    schedule = learning_rate(optimization, steps_per_epoch, epochs)
    optimizer = make_optimizer(optimization, schedule)
    with jax.default_device(host()):
        state = create_state(params, statistics, optimizer)
    abstract = jax.eval_shape(lambda: state)
    shardings = mesh.shard_variables(state)
    execution = Execution(precision, accumulate, shardings, mesh.replicated)

    def step(graph: nnx.GraphDef, phase: int) -> Any:
        def loss(model: Any, frozen: Tree, batch: Tree, key: jax.Array) -> Any:
            return recipe.loss(model, frozen, batch, key, True, phase)

        def trainable(path: tuple[str, ...]) -> bool:
            return recipe.trainable(path, phase)

        key = jax.random.key(seed)
        return make_step(graph, loss, optimizer, trainable, key, schedule, execution)

    def evaluation_loss(model: Any, frozen: Tree, batch: Tree, key: jax.Array) -> Any:
        return recipe.loss(model, frozen, batch, key, False, 0)

    def show(state: TrainState, frozen: Tree, batch: Tree) -> Faces:
        return recipe.show(nnx.merge(graph, state.params, state.statistics), frozen, batch)

    def operations(epoch: int, batch: Tree) -> float:
        plain = runs.abstract_model(recipe.kind, _without_remat(recipe.model.config))[0]
        counted = step(plain, recipe.phase(epoch))
        with attend_fused.never():
            return count_flops(counted, abstract, recipe.frozen, batch)

    @partial(jax.jit, out_shardings=mesh.replicated)
    def observe(state: TrainState, batch: Tree) -> jax.Array:
        assert recipe.measurement is not None
        params = computed_in(state.params, precision)
        with products_in(precision):
            model = nnx.merge(graph, params, state.statistics)
            return recipe.measurement.observe(model, batch)

    def measure(state: TrainState, batches: Callable[[], Iterable[Tree]]) -> TrainState:
        if recipe.measurement is None:
            return state
        placed = (mesh.put_global(batch) for batch in batches())
        new = measured(recipe.measurement, lambda batch: observe(state, batch), placed)
        return replace(state, statistics=mesh.put(new, shardings.statistics))

    step_of_phase = cache(lambda phase: step(graph, phase))
    return Stage(
        recipe=recipe,
        mesh=mesh,
        state=mesh.put(state, shardings),
        frozen=mesh.put(recipe.frozen, mesh.replicated_each(recipe.frozen)),
        step=lambda epoch: step_of_phase(recipe.phase(epoch)),
        evaluate=make_evaluation(graph, evaluation_loss, execution),
        show=jax.jit(show, out_shardings=mesh.replicated),
        operations=operations,
        measure=measure,
    )


def _without_remat(config: Any) -> Any:
    """The configuration of the model that keeps everything, where one can keep less."""
    can = any(field.name == "remat" for field in fields(config))
    return replace(config, remat=False) if can else config
