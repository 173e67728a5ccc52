"""The training loop of both stages: steps, validations, checkpoints, resuming."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import jax

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.training.checkpoint import Checkpoints
from jaxreact.training.logging import RunLog
from jaxreact.training.objectives import Metrics
from jaxreact.training.optimizer import OptimizerConfig
from jaxreact.training.state import TrainState, join

Tree = Any


@dataclass(frozen=True)
class LoopConfig:
    """How long to train and how often to look."""

    epochs: int = 200
    batch_size: int = 8
    """Conversations a step."""
    validate_every: int = 2
    """Epochs between validations; the last epoch is always validated."""
    log_every: int = 10
    """Steps between scalars."""
    workers: int = 0
    """Processes that read data ahead; 0 reads with threads of this process."""
    seed: int = 0
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


class Batches(Protocol):
    """An endless iterator over batches whose position can be saved."""

    def __next__(self) -> Tree: ...

    def get_state(self) -> Any: ...

    def set_state(self, state: Any) -> None: ...


@dataclass(frozen=True)
class Stage:
    """What one stage of training brings to the loop."""

    kind: str
    """Kind of run directory."""
    model_config: Any
    state: TrainState
    frozen: Tree
    """Variables of models that are used but not trained."""
    step: Callable[[int], Callable[[TrainState, Tree, Tree], tuple[TrainState, Metrics]]]
    """The jitted step of an epoch (counted from 0)."""
    evaluate: Callable[[TrainState, Tree, Tree, jax.Array], Metrics]
    schedule: Callable[[Any], jax.Array]
    """Learning rate at a step, for the log."""
    extra: dict[str, Any]
    """What else config.json needs, and what a resumed run must not change; JSON."""
    prepare: Callable[[Path], None] = lambda out: None
    """Writes what else a new run directory holds."""


@dataclass(frozen=True)
class Data:
    """Batches of a stage."""

    training: Callable[[], Batches]
    """The training split from its start."""
    steps_per_epoch: int
    validation: Callable[[], Iterable[Tree]]
    """The validation split, always the same batches; the last may be smaller."""


def train(stage: Stage, data: Data, config: LoopConfig, out: Path, *, resume: bool) -> float:
    """Trains a stage into the run directory `out`; returns the best validation loss.

    Writes config.json, `model/` (the variables with the best validation loss), `state/` (the last
    state, for `resume`) and `tensorboard/`. Starting point: the run's own last state with `resume`,
    else from scratch; an existing run without `resume` is an error, so that nothing is lost.
    """
    state, best, batches = stage.state, float("inf"), data.training()
    data.validation()  # what is wrong with either split shows before anything is written
    record = _prepare(stage, config, out, resume)
    with Checkpoints(out / "state") as last, Checkpoints(out / "model") as bests:
        if resume:
            state, saved = last.restore(_abstract(stage.state))
            batches.set_state(_iterator_state(saved["iterator"]))
            best = saved["best"]
        start, total = int(state.step), config.epochs * data.steps_per_epoch
        with RunLog(out / "tensorboard", record, total, start) as log:
            for step in range(start, total):
                epoch = step // data.steps_per_epoch
                state, metrics = stage.step(epoch)(state, stage.frozen, next(batches))
                metrics["learning_rate"] = stage.schedule(step)
                log.step(step + 1, metrics, config.log_every)
                if (step + 1) % data.steps_per_epoch or not _is_due(epoch, config):
                    continue
                scores = validate(stage, state, data.validation(), config.seed)
                improved = scores["loss"] < best
                log.validation(step + 1, scores, improved)
                if improved:
                    best = scores["loss"]
                    bests.save(step + 1, join(state.params, state.statistics), scores)
                    bests.wait()  # lest a state that knows of this model outlive it
                iterator = batches.get_state()
                last.save(step + 1, state, {"iterator": _jsonable(iterator), "best": best})
    return best


def validate(stage: Stage, state: TrainState, batches: Iterable[Tree], seed: int) -> dict[str, Any]:
    """Metrics over the whole split, each batch weighted by its size.

    Whatever is random in a loss is drawn alike in every validation, so that losses of different
    epochs compare (the original draws anew, behaviour 41).
    """
    sums: dict[str, float] = {}
    count = 0
    key = jax.random.key(seed)
    for index, batch in enumerate(batches):
        size = len(jax.tree.leaves(batch)[0])
        metrics = stage.evaluate(state, stage.frozen, batch, jax.random.fold_in(key, index))
        for name, value in jax.device_get(metrics).items():
            sums[name] = sums.get(name, 0.0) + float(value) * size
        count += size
    if not count:
        raise UserError("the validation split is empty")
    return {name: value / count for name, value in sums.items()}


def _is_due(epoch: int, config: LoopConfig) -> bool:
    return (epoch + 1) % config.validate_every == 0 or epoch + 1 == config.epochs


def check_start(kind: str, out: Path, resume: bool) -> None:
    """Raises UserError unless a run can start in `out`, or go on there with `resume`."""
    held = any(path.name.isdecimal() for path in (out / "state").glob("*"))
    if resume and not held:
        raise UserError(f"{out}: nothing to resume here; start without --resume")
    if held and not resume:
        raise UserError(f"{out}: holds a run already; add --resume or choose another --out")
    # A start that came to no state has left a configuration too, of a training.
    exists = not held and (out / "config.json").exists()
    if exists and "training" not in runs.read_config(out, kind)[1]:
        raise UserError(f"{out}: holds a converted {kind}; choose another --out")


def _prepare(stage: Stage, config: LoopConfig, out: Path, resume: bool) -> dict[str, Any]:
    """Writes config.json, or checks that the one of the resumed run is the same."""
    check_start(stage.kind, out, resume)
    record = {"training": dataclasses.asdict(config), **stage.extra}
    if resume:
        _check_resumed(stage, record, out)
        return record
    for leftover in ("state", "model", "tensorboard"):
        shutil.rmtree(out / leftover, ignore_errors=True)
    stage.prepare(out)
    runs.write_config(out, stage.kind, stage.model_config, **record)
    return record


def _check_resumed(stage: Stage, record: dict[str, Any], out: Path) -> None:
    """Raises UserError if `out` holds a run with other options."""
    model_config, content = runs.read_config(out, stage.kind)
    saved = {"model": dataclasses.asdict(model_config)}
    saved |= {name: content[name] for name in content if name not in ("kind", "format", "model")}
    wanted = {"model": dataclasses.asdict(stage.model_config), **record}
    _check_same(json.loads(json.dumps(saved)), json.loads(json.dumps(wanted)))


def _check_same(saved: dict[str, Any], wanted: dict[str, Any], at: str = "") -> None:
    """Raises UserError naming the first value in which a resumed run differs from its start."""
    for name in sorted({*saved, *wanted}):
        a, b = saved.get(name), wanted.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            _check_same(a, b, f"{at}{name}.")
        elif a != b:
            raise UserError(
                f"--resume: {at}{name} was {_short(a)} and is now {_short(b)}; repeat the run's"
                " options"
            )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:50]} ..."


def _abstract(state: TrainState) -> TrainState:
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), state
    )


def _jsonable(iterator: Any) -> Any:
    """A data iterator's state as JSON can hold it: bytes become text."""
    return {"bytes": iterator.decode()} if isinstance(iterator, bytes) else iterator


def _iterator_state(saved: Any) -> Any:
    if isinstance(saved, dict) and set(saved) == {"bytes"}:
        return saved["bytes"].encode()
    return saved
