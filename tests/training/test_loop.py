"""The loop, with a model of one number: where runs start, stop, resume and what they leave."""

import dataclasses
import gzip
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxreact import runs
from jaxreact.checkpoints import Checkpoints
from jaxreact.data import pipeline
from jaxreact.data.pipeline import PIPELINE, pipeline_record
from jaxreact.errors import Stopped, UserError
from jaxreact.sharding import DeviceMesh, make_device_mesh
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.presets import TOKENIZER_PRESETS
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.fiber.train_tokenizer import train_tokenizer
from jaxreact.training import loop
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from jaxreact.training.loop import LoopConfig, train, validate
from jaxreact.training.optimizer import OptimizerConfig
from jaxreact.training.stage import Recipe, Stage
from jaxreact.training.state import TrainState, create_state

CONFIG = LoopConfig(epochs=4, batch_size=2, validate_every=1, log_every=1, pictures_every=0)
STEPS_PER_EPOCH = 2


class Numbers:
    """Batches [n, n] for n = 0, 1, 2, ...; the state is as grain's with one of two loaders."""

    def __init__(self, as_bytes: bool = False):
        self.next, self.as_bytes = 0, as_bytes

    def __next__(self) -> np.ndarray:
        self.next += 1
        return np.full(2, self.next - 1, np.float32)

    def get_state(self) -> Any:
        return str(self.next).encode() if self.as_bytes else {"next_index": self.next}

    def set_state(self, state: Any) -> None:
        self.next = int(state) if self.as_bytes else state["next_index"]

    def close(self) -> None:
        self.next = -1


@dataclass(frozen=True)
class StageConfig:
    """What a stage is configured by besides its loop."""

    MAY_CHANGE: ClassVar = ()

    preset: str = "debug"
    data: Path = Path("data")
    emotion_phase: float = 0.8


def unused(*arguments: Any) -> Any:
    raise AssertionError("nothing here trains a model or draws it")


def stage(of_recipe: Mapping[str, Any] = MappingProxyType({}), **changes: Any) -> Stage:
    """Minimises the distance of a number to 1 by momentum; each batch and step leaves its mark."""
    optimizer = optax.sgd(0.1, momentum=0.9)

    @jax.jit
    def step(state: TrainState, frozen: Any, batch: Any) -> tuple[TrainState, dict]:
        noise = jax.random.normal(jax.random.fold_in(jax.random.key(0), state.step))
        gradient = jax.tree.map(lambda w: w - 1 + 0.01 * noise + 0.01 * batch.mean(), state.params)
        updates, opt_state = optimizer.update(gradient, state.opt_state)
        params = optax.apply_updates(state.params, updates)
        loss = jnp.sum((state.params["w"] - 1) ** 2)
        return TrainState(state.step + 1, params, state.statistics, opt_state), {"loss": loss}

    def evaluate(state: TrainState, frozen: Any, batch: Any, key: jax.Array) -> dict:
        return {"loss": jnp.mean((state.params["w"] - 1) ** 2) + 0 * jnp.mean(batch)}

    recipe = Recipe(
        kind=TOKENIZER,
        model=SimpleNamespace(config=FaceTokenizerConfig(n_embd=16, n_head=2, n_layer=1)),
        loss=unused,
        show=unused,
        draw=unused,
        config=StageConfig(),
        parts={"tokenizer": "a"},
        extra={"mean_face": [0.1] * 58},
    )
    state = create_state({"w": jnp.full(3, 5.0)}, {}, optimizer)
    made = Stage(
        recipe=dataclasses.replace(recipe, **of_recipe),
        mesh=make_device_mesh(),
        state=state,
        frozen={},
        step=lambda epoch: step,
        evaluate=evaluate,
        show=unused,
        operations=lambda epoch, batch: 0.0,
    )
    return dataclasses.replace(made, **changes)


def data(as_bytes: bool = False) -> Data:
    return Data(lambda: Numbers(as_bytes), STEPS_PER_EPOCH, lambda: [np.zeros(2), np.zeros(1)])


def saved(out: Path, what: str) -> tuple[int, Any]:
    """The newest checkpoint of a run: its number and its arrays as numpy."""
    abstract = stage().state if what == "state" else {"w": jnp.zeros(3)}
    with Checkpoints(out / what, read_only=True) as checkpoints:
        step = checkpoints.latest()
        assert step is not None
        return step, jax.tree.map(np.asarray, checkpoints.restore(abstract)[0])


def interrupt(monkeypatch, at: int, error: type[BaseException] = KeyboardInterrupt) -> None:
    """Stops training in its validation number `at`, counted from 1."""
    count = 0

    def failing(*arguments: Any) -> dict:
        nonlocal count
        count += 1
        if count == at:
            raise error
        return validate(*arguments)

    monkeypatch.setattr(loop, "validate", failing)


@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("at", [2, 4])
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path, monkeypatch, at, as_bytes):
    best = train(stage(), data(as_bytes), CONFIG, tmp_path / "whole", resume=False)
    with monkeypatch.context() as patch:
        interrupt(patch, at)
        with pytest.raises(KeyboardInterrupt):
            train(stage(), data(as_bytes), CONFIG, tmp_path / "parts", resume=False)
    assert saved(tmp_path / "parts", "state")[0] == (at - 1) * STEPS_PER_EPOCH
    assert train(stage(), data(as_bytes), CONFIG, tmp_path / "parts", resume=True) == best
    for what in ("state", "model"):
        whole, parts = (saved(tmp_path / name, what) for name in ("whole", "parts"))
        jax.tree.map(np.testing.assert_array_equal, whole, parts)


def test_a_run_killed_between_model_and_state_loses_nothing(tmp_path, monkeypatch):
    whole = train(stage(), data(), CONFIG, tmp_path / "whole", resume=False)
    save = Checkpoints.save

    def killed(self, step, arrays, record=None):
        if step == 4 and self.directory.name == "state":
            raise KeyboardInterrupt
        save(self, step, arrays, record)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            train(stage(), data(), CONFIG, tmp_path / "parts", resume=False)
    assert saved(tmp_path / "parts", "model")[0] == 4
    assert saved(tmp_path / "parts", "state")[0] == 2
    assert train(stage(), data(), CONFIG, tmp_path / "parts", resume=True) == whole
    for what in ("state", "model"):
        jax.tree.map(
            np.testing.assert_array_equal,
            saved(tmp_path / "whole", what),
            saved(tmp_path / "parts", what),
        )


@pytest.mark.parametrize("at", [3, 4])
def test_sigterm_ends_a_run_after_the_step_with_its_state_saved(tmp_path, at):
    """In the middle of an epoch, and right after a validation."""

    class Terminated(Numbers):
        def __next__(self) -> np.ndarray:
            batch = super().__next__()
            if self.next == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return batch

    best = train(stage(), data(), CONFIG, tmp_path / "whole", resume=False)
    stopping = dataclasses.replace(data(), training=Terminated)
    with pytest.raises(Stopped, match=f"stopped after step {at}; go on with --resume"):
        train(stage(), stopping, CONFIG, tmp_path / "parts", resume=False)
    assert saved(tmp_path / "parts", "state")[0] == at
    assert not (tmp_path / "parts" / "training_report.html").exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert train(stage(), data(), CONFIG, tmp_path / "parts", resume=True) == best
    for what in ("state", "model"):
        whole, parts = (saved(tmp_path / name, what) for name in ("whole", "parts"))
        jax.tree.map(np.testing.assert_array_equal, whole, parts)
    assert (tmp_path / "parts" / "training_report.html").exists()


def test_the_best_model_and_the_last_state_are_kept(tmp_path):
    losses = iter([3.0, 1.0, 2.0, 1.5])
    scripted = stage(evaluate=lambda *_: {"loss": jnp.asarray(next(losses))})
    one_batch = Data(Numbers, STEPS_PER_EPOCH, lambda: [np.zeros(2)])
    assert train(scripted, one_batch, CONFIG, tmp_path, resume=False) == 1.0
    (best, model), (last, state) = saved(tmp_path, "model"), saved(tmp_path, "state")
    assert (best, last) == (4, 8)
    assert not np.array_equal(model["w"], state.params["w"])


def test_resuming_a_finished_run_does_nothing(tmp_path):
    best = train(stage(), data(), CONFIG, tmp_path, resume=False)
    before = saved(tmp_path, "state")
    assert train(stage(), data(), CONFIG, tmp_path, resume=True) == best
    jax.tree.map(np.testing.assert_array_equal, before, saved(tmp_path, "state"))


def test_an_existing_run_is_not_overwritten(tmp_path):
    train(stage(), data(), CONFIG, tmp_path, resume=False)
    with pytest.raises(UserError, match="holds a run already; add --resume or choose another"):
        train(stage(), data(), CONFIG, tmp_path, resume=False)


def test_a_converted_model_is_not_overwritten(tmp_path):
    runs.write_config(tmp_path, TOKENIZER, stage().recipe.model.config, origin={})
    before = (tmp_path / "config.json").read_bytes()
    with pytest.raises(UserError, match="holds a converted tokenizer; choose another --out"):
        train(stage(), data(), CONFIG, tmp_path, resume=False)
    assert (tmp_path / "config.json").read_bytes() == before


def test_another_kind_of_run_is_not_overwritten(tmp_path):
    (tmp_path / "config.json").write_text('{"kind": "predictor"}')
    with pytest.raises(UserError, match="kind is 'predictor', expected 'tokenizer'"):
        train(stage(), data(), CONFIG, tmp_path, resume=False)


def test_a_start_that_came_to_no_state_may_be_repeated_with_other_options(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            train(stage(), data(), CONFIG, tmp_path, resume=False)
    with pytest.raises(UserError, match="nothing to resume here; start without --resume"):
        train(stage(), data(), CONFIG, tmp_path, resume=True)
    # What a killed save leaves behind is no state either.
    (tmp_path / "state" / "2.orbax-checkpoint-tmp").mkdir(parents=True)
    shorter = dataclasses.replace(CONFIG, epochs=1)
    train(stage(), data(), shorter, tmp_path, resume=False)
    assert json.loads((tmp_path / "config.json").read_text())["training"]["epochs"] == 1
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["2"]


def test_where_things_lie_may_change(tmp_path):
    """Their contents are told apart by fingerprints; a preset is told by its values."""
    train(stage(), data(), CONFIG, tmp_path, resume=False)
    moved = stage({"config": StageConfig(preset="", data=Path("/elsewhere/data"))})
    train(moved, data(), CONFIG, tmp_path, resume=True)
    content = json.loads((tmp_path / "config.json").read_text())
    assert (content["preset"], content["paths"]) == ("debug", {"data": "data"})
    assert content["stage"] == {"emotion_phase": 0.8}


def test_a_run_of_before_goes_on_if_nothing_that_it_knows_has_changed(tmp_path):
    """Its stage's options stood beside each other, some of them, with the tokenizer's path."""
    train(stage(), data(), CONFIG, tmp_path, resume=False)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    for name in ("preset", "paths", "stage", "parts"):
        del content[name]
    path.write_text(json.dumps(content | {"tokenizer": "runs/tokenizer", "emotion_phase": 0.8}))
    train(stage(), data(), CONFIG, tmp_path, resume=True)
    other = stage({"config": StageConfig(emotion_phase=0.5)})
    with pytest.raises(UserError, match=r"stage\.emotion_phase was 0\.8 and is now 0\.5"):
        train(other, data(), CONFIG, tmp_path, resume=True)
    with pytest.raises(UserError, match=r"training\.seed was 0 and is now 1"):
        train(stage(), data(), dataclasses.replace(CONFIG, seed=1), tmp_path, resume=True)


def test_a_run_of_before_an_option_goes_on_with_what_it_did(tmp_path):
    train(stage(), data(), CONFIG, tmp_path, resume=False)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    for name in ("decay", "after_warmup"):
        del content["training"]["optimizer"][name]
    path.write_text(json.dumps(content))
    train(stage(), data(), CONFIG, tmp_path, resume=True)
    other = dataclasses.replace(CONFIG, optimizer=OptimizerConfig(decay="all"))
    with pytest.raises(UserError, match=r"optimizer\.decay was 'matrices' and is now 'all'"):
        train(stage(), data(), other, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("changes", "config", "message"),
    [
        ({}, {"epochs": 5}, "training.epochs was 4 and is now 5"),
        ({}, {"seed": 7}, "training.seed was 0 and is now 7"),
        (
            {"model": SimpleNamespace(config=FaceTokenizerConfig(n_embd=16, n_head=4, n_layer=1))},
            {},
            "model.n_head was 2 and is now 4",
        ),
        (
            {
                "model": SimpleNamespace(
                    config=FaceTokenizerConfig(
                        n_embd=16, n_head=2, n_layer=1, quantize_levels=(4, 3)
                    )
                )
            },
            {},
            r"model.quantize_levels was \[8, 5, 5, 5\] and is now \[4, 3\]",
        ),
        (
            {"config": StageConfig(emotion_phase=0.5)},
            {},
            "stage.emotion_phase was 0.8 and is now 0.5",
        ),
        (
            {"extra": {"mean_face": [0.2] * 58}},
            {},
            r"mean_face was \[0.1, .* \.\.\. and is now \[0.2, .* \.\.\.;",
        ),
        ({"parts": {"tokenizer": "b"}}, {}, "parts.tokenizer was 'a' and is now 'b'"),
    ],
)
def test_changed_options_are_refused_on_resume(tmp_path, changes, config, message):
    train(stage(), data(), CONFIG, tmp_path, resume=False)
    changed = dataclasses.replace(CONFIG, **config)
    with pytest.raises(UserError, match=message) as caught:
        train(stage(changes), data(), changed, tmp_path, resume=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("log_every", [1, 3, 100])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_run_before_anything_is_saved(tmp_path, log_every, bad):
    class Broken(Numbers):
        def __next__(self) -> np.ndarray:
            batch = super().__next__()
            return batch * bad if self.next == 4 else batch

    config = dataclasses.replace(CONFIG, log_every=log_every)
    broken = dataclasses.replace(data(), training=Broken)
    with pytest.raises(UserError, match=r"the loss is (nan|inf) between steps . and .; ") as caught:
        train(stage(), broken, config, tmp_path, resume=False)
    assert "\n" not in str(caught.value)
    for what in ("state", "model"):
        step, arrays = saved(tmp_path, what)
        assert step == 2
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(arrays))


def test_validation_weighs_batches_by_their_size():
    scripted = stage(evaluate=lambda state, frozen, batch, key: {"loss": jnp.mean(batch)})
    batches = [np.array([1.0, 2.0]), np.array([6.0])]
    assert validate(scripted, scripted.state, batches, 0) == {"loss": 3.0}
    with pytest.raises(UserError, match="validation split is empty"):
        validate(scripted, scripted.state, [], 0)


def test_validations_draw_alike_and_batches_differently():
    drawn = stage(evaluate=lambda state, frozen, batch, key: {"loss": jax.random.uniform(key)})
    one = [validate(drawn, drawn.state, [np.zeros(1)] * n, 0)["loss"] for n in (1, 1, 2)]
    assert one[0] == one[1] != one[2]
    assert validate(drawn, drawn.state, [np.zeros(1)], 1)["loss"] != one[0]


def test_validations_come_when_due(tmp_path, monkeypatch):
    seen: list[int] = []

    def note(self, step, metrics, best):
        seen.append(step)

    monkeypatch.setattr(loop.RunLog, "validation", note)
    config = dataclasses.replace(CONFIG, epochs=5, validate_every=2)
    train(stage(), data(), config, tmp_path, resume=False)
    assert seen == [4, 8, 10]  # the last epoch always


@pytest.mark.parametrize("url", ["gs://bucket/run", "s3://bucket/run"])
@pytest.mark.parametrize(
    ("option", "message"), [("--out", "not a path; mount the bucket"), ("--data", "mount the")]
)
def test_a_bucket_is_refused_by_its_name(tmp_path, url, option, message):
    options = {"--data": str(tmp_path), "--out": str(tmp_path / "run")} | {option: url}
    arguments = [part for pair in options.items() for part in pair]
    with pytest.raises(UserError, match=rf"^(gs|s3):/+bucket/run: .*{message}"):
        train_tokenizer(parse(TOKENIZER_PRESETS, ["debug", *arguments]))
    assert not list(tmp_path.iterdir())


def test_a_step_moves_nothing_between_host_and_devices(tmp_path, monkeypatch):
    """A batch that was not placed would be moved by every step, unseen."""
    config = dataclasses.replace(CONFIG, epochs=1)
    train(stage(), data(), config, tmp_path / "placed", resume=False)
    monkeypatch.setattr(DeviceMesh, "put_local_rows", lambda self, batch: batch)
    with pytest.raises(Exception, match="Disallowed host-to-device transfer"):
        train(stage(), data(), config, tmp_path / "moved", resume=False)


def test_a_few_steps_are_traced(tmp_path, capsys):
    folder = tmp_path / "trace"
    train(stage(), data(), CONFIG, tmp_path / "run", resume=False, profile=folder)
    assert f"{folder}: steps 3 to 7 are traced" in capsys.readouterr().out
    [file] = folder.rglob("*.trace.json.gz")
    events = json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
    steps = [event["args"]["step_num"] for event in events if event.get("name") == "train"]
    assert sorted(map(int, steps)) == [3, 4, 5, 6, 7]


def write_pipeline(out: Path, pipeline: dict[str, Any] | None) -> None:
    path = out / "config.json"
    content = json.loads(path.read_text()) | {"pipeline": pipeline}
    if pipeline is None:
        del content["pipeline"]
    path.write_text(json.dumps(content))


def test_a_run_goes_on_only_with_the_pipeline_that_began_it(tmp_path, monkeypatch):
    best = train(stage(), data(), CONFIG, tmp_path, resume=False)
    now = json.loads((tmp_path / "config.json").read_text())["pipeline"]
    assert now == pipeline_record()
    assert now["number"] == PIPELINE
    monkeypatch.setattr(pipeline, "PIPELINE", PIPELINE + 1)
    message = rf"--resume: .* begun with data pipeline {PIPELINE} and .* has {PIPELINE + 1}, which"
    with pytest.raises(UserError, match=message):
        train(stage(), data(), CONFIG, tmp_path, resume=True)
    monkeypatch.undo()
    write_pipeline(tmp_path, now | {"grain": "0.2.1"})
    with pytest.raises(UserError, match=r"grain 0\.2\.1 and .* pip install grain==0\.2\.1, or"):
        train(stage(), data(), CONFIG, tmp_path, resume=True)
    write_pipeline(tmp_path, None)  # a run of before it was written down
    assert train(stage(), data(), CONFIG, tmp_path, resume=True) == best
