"""The training loop of both stages: steps, validations, checkpoints, resuming."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxreact.data.pipeline import pipeline_record
from jaxreact.errors import Stopped, UserError, filling
from jaxreact.nn.precision import Precision
from jaxreact.profiling import Profile
from jaxreact.sharding import DeviceMesh
from jaxreact.training.batches import Data
from jaxreact.training.codebook import with_codebook_use
from jaxreact.training.distributed import is_first, wait_for_all
from jaxreact.training.logging import RunLog
from jaxreact.training.monitor.peaks import peak_flops
from jaxreact.training.monitor.report import write_training_report
from jaxreact.training.optimizer import OptimizerConfig
from jaxreact.training.preemption import Preemption
from jaxreact.training.run_start import prepare_run, record_of
from jaxreact.training.saving import ResumePoint, Saver
from jaxreact.training.stage import Recipe, Stage, make_stage
from jaxreact.training.state import TrainState

Tree = Any


@dataclass(frozen=True)
class LoopConfig:
    """How long to train, how often to look, and on what."""

    epochs: int = 200
    batch_size: int = 8
    """Conversations a step, all devices of all processes together."""
    validate_every: int = 2
    """Epochs between validations; the last epoch is always validated. The state is saved then."""
    log_every: int = 10
    """Steps between scalars."""
    workers: int = 0
    """Processes that read data ahead; 0 reads with threads of this process."""
    seed: int = 0
    precision: Precision = "tensorfloat32"
    """What matrix products compute in; parameters, norms, softmax, quantiser and losses are float32
    in any case, and so is what decides a code of the frozen tokenizer. tensorfloat32 is float32
    where a device has no such thing."""
    accumulate: int = 1
    """Parts into which a batch is cut, one computed after the other: less memory, a little more
    time."""
    pictures_every: int = 5
    """Validations between pictures of what the model does, the last one included; 0 draws none."""
    fsdp: int = 1
    """Devices that share one copy of the parameters and of the optimizer's state, instead of
    holding one each; a divisor of their number."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    def make_stage(self, recipe: Recipe, mesh: DeviceMesh, steps_per_epoch: int) -> Stage:
        """The stage of a recipe, trained as this configuration says."""
        return make_stage(
            recipe,
            self.optimizer,
            mesh,
            steps_per_epoch=steps_per_epoch,
            epochs=self.epochs,
            seed=self.seed,
            precision=self.precision,
            accumulate=self.accumulate,
        )


def train(
    stage: Stage,
    data: Data,
    config: LoopConfig,
    out: Path,
    *,
    resume: bool,
    profile: Path | None = None,
) -> float:
    """Trains a stage into the run directory `out`; returns the best validation loss.

    Writes config.json, `model/` (the variables with the best validation loss), `state/` (the last
    state, for `resume`), `tensorboard/` and, at the end, `training_report.html`. Starting point:
    the run's own last state with `resume`, else from scratch; an existing run without `resume` is
    an error, so that nothing is lost. Of several processes, all call it. A few steps of the first
    process are traced into the folder `profile`.

    Raises Stopped after a SIGTERM, when the state of that moment is saved.
    """
    batches = data.training()
    data.validation()  # what is wrong with either split shows before anything is written
    record, recipe = _record(stage, data, config), stage.recipe
    prepare_run(recipe.kind, recipe.model.config, record, out, resume, recipe.write)
    with (
        filling(out),
        Saver(out) as saver,
        Preemption() as preemption,
        closing(batches),
    ):
        state, best = stage.state, float("inf")
        if resume:
            state, position = saver.restore(stage.state)
            batches.set_state(position.iterator)
            best = position.best
        run = _Run(stage, data, config, saver, best)
        start = int(state.step)
        trace = Profile(profile if is_first() else None, run.total - start, "train")
        with _log(run, out, record, start) as log, trace:
            for step in range(start + 1, run.total + 1):
                with trace.step(step - start):
                    state = run.update(step, state, next(batches), log)
                trace.after(step - start, state)
                if run.validation_is_due(step):
                    with log.paused():
                        state = run.validate(step, state, batches.get_state(), log)
                elif step % config.log_every == 0:
                    saver.release()
                if preemption.comes_after(step):
                    log.flush()
                    saver.save(step, state, ResumePoint(batches.get_state(), run.best))
                    saver.finish()
                    raise Stopped(f"{out}: stopped after step {step}; go on with --resume")
    if is_first():
        with filling(out):
            write_training_report(out)
    wait_for_all("reported")  # where there is a report, the training is finished
    return run.best


@dataclass
class _Run:
    """What the iterations of the loop share."""

    stage: Stage
    data: Data
    config: LoopConfig
    saver: Saver
    best: float
    """Lowest validation loss so far."""
    measured: Any = None
    """The step function whose operations the log knows."""

    @property
    def total(self) -> int:
        """Number of updates of the whole training."""
        return self.config.epochs * self.data.steps_per_epoch

    def update(self, step: int, state: TrainState, batch: Tree, log: RunLog) -> TrainState:
        """Makes update number `step`; the given state is consumed."""
        epoch = (step - 1) // self.data.steps_per_epoch
        update = self.stage.step(epoch)
        placed = self.stage.mesh.put_local_rows(batch)
        if update is not self.measured:
            self.measured = update
            with log.paused():  # tracing, and the compilation that the first call waits for
                log.speed.flops_per_step = self.stage.operations(epoch, placed)
                state, metrics = update(state, self.stage.frozen, placed)
        else:
            with jax.transfer_guard("disallow"):  # all that a step needs is on the devices
                state, metrics = update(state, self.stage.frozen, placed)
        log.step(step, metrics, self.config.log_every)
        return state

    def validation_is_due(self, step: int) -> bool:
        """Whether update number `step` is the last of an epoch after which to validate."""
        epoch, begun = divmod(step, self.data.steps_per_epoch)
        return begun == 0 and (epoch % self.config.validate_every == 0 or step == self.total)

    def validate(self, step: int, state: TrainState, iterator: Any, log: RunLog) -> TrainState:
        """Validates after update number `step`, and saves what is worth it; gives the state back,
        of a model that is kept with its statistics measured."""
        scores = validate(self.stage, state, self.data.validation(), self.config.seed)
        improved = scores["loss"] < self.best
        if improved:
            state = self.stage.measure(state, self.data.everything)
        log.validation(step, scores, improved)
        self.best = min(self.best, scores["loss"])
        self.saver.save(step, state, ResumePoint(iterator, self.best), scores if improved else None)
        number = step // (self.config.validate_every * self.data.steps_per_epoch)
        every = self.config.pictures_every
        if every and (number % every == 0 or step == self.total):
            self.draw(step, state, log)
        return state

    def draw(self, step: int, state: TrainState, log: RunLog) -> None:
        """Draws the first clip of the validation split as the model has it."""
        batch = self.stage.mesh.put_global(next(iter(self.data.validation())))
        faces = self.stage.show(state, self.stage.frozen, batch)
        if is_first():
            log.pictures(step, self.stage.recipe.draw(jax.device_get(faces), f"step {step}"))


def _record(stage: Stage, data: Data, config: LoopConfig) -> dict[str, Any]:
    """What config.json holds beside the model's configuration."""
    return {
        **record_of(stage.recipe.config, config),
        "processes": jax.process_count(),
        "data": data.fingerprint,
        "pipeline": pipeline_record(),
        "parts": dict(stage.recipe.parts),
        **stage.recipe.extra,
    }


def _log(run: _Run, out: Path, record: dict[str, Any], start: int) -> RunLog:
    device, precision = jax.devices()[0], run.config.precision
    if precision == "tensorfloat32" and device.platform != "gpu":
        precision = "float32"
    peak = peak_flops(device, precision)
    return RunLog(
        out / "tensorboard",
        record,
        run.total,
        start,
        active=is_first(),
        frames_per_step=run.data.frames * run.config.batch_size or None,
        peak_flops=peak and peak * jax.device_count(),
    )


def validate(
    stage: Stage, state: TrainState, batches: Iterable[Tree], seed: int
) -> dict[str, float]:
    """Metrics over the whole split, each batch weighted by its size.

    Whatever is random in a loss is drawn alike in every validation, so that losses of different
    epochs compare (the original draws anew, behaviour 41).
    """
    sums: dict[str, Any] = {}
    count = 0
    key = jax.random.key(seed)
    for index, batch in enumerate(batches):
        size = len(jax.tree.leaves(batch)[0])
        placed = stage.mesh.put_global(batch)
        metrics = stage.evaluate(state, stage.frozen, placed, jax.random.fold_in(key, index))
        for name, value in jax.device_get(metrics).items():
            sums[name] = sums.get(name, 0.0) + np.asarray(value, np.float64) * size
        count += size
    if not count:
        raise UserError("the validation split is empty")
    means = with_codebook_use({name: value / count for name, value in sums.items()})
    return {name: float(value) for name, value in means.items()}
