"""What a stage makes of its recipe and of the loop's configuration, with a model of one matrix."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.data.cache import ArrayCache
from jaxreact.data.layout import MARS, REACT2024
from jaxreact.data.modality import Modality
from jaxreact.nn import attend_fused
from jaxreact.nn.quantizers import Statistics
from jaxreact.sharding import make_device_mesh
from jaxreact.training import batches, loop
from jaxreact.training import stage as stage_module
from jaxreact.training.loop import LoopConfig
from jaxreact.training.measured import Measurement
from jaxreact.training.optimizer import OptimizerConfig, learning_rate
from jaxreact.training.stage import Recipe, Stage, make_stage
from tests.training.processes import newest_arrays
from tests.training.test_loop import CONFIG, Numbers, data, stage


@dataclass(frozen=True)
class ToyConfig:
    remat: bool | None = None


class Toy(nnx.Module):
    """Two matrices and a count; remembers its configuration."""

    def __init__(self, config: ToyConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.a = nnx.Param(jnp.ones((2, 2)))
        self.b = nnx.Param(jnp.ones((2, 2)))
        self.count = Statistics(jnp.zeros(()))


KIND = runs.Kind("toy", ToyConfig, Toy)
OPTIMIZATION = OptimizerConfig(0.5, weight_decay=0.0, warmup_steps=4, final_share=0.2)


def loss(model: Toy, frozen: Any, batch: jax.Array, key: jax.Array, train: bool, phase: int) -> Any:
    value = jnp.sum(model.a[...]) + jnp.sum(model.b[...]) * frozen["scale"]
    told = {"train": train, "phase": phase, "draw": jax.random.uniform(key)}
    metrics = {name: jnp.asarray(part, jnp.float32) for name, part in told.items()}
    metrics |= {"loss": value, "count": model.count[...]}
    return value, (metrics, {"count": model.count[...] + 1})


def recipe(**changes: Any) -> Recipe:
    return Recipe(
        **{
            "kind": KIND,
            "model": Toy(ToyConfig(), rngs=nnx.Rngs(0)),
            "loss": loss,
            "show": lambda model, frozen, batch: {"face": (batch * model.a[0, 0], None)},
            "draw": lambda faces, title: {},
            "config": None,
            "frozen": {"scale": jnp.array(2.0)},
            "phase": lambda epoch: int(epoch >= 3),
            "trainable": lambda path, phase: phase == 0 or path == ("b",),
            **changes,
        }
    )


def make(seed: int = 3, **changes: Any) -> Stage:
    mesh = make_device_mesh()
    return make_stage(recipe(**changes), OPTIMIZATION, mesh, steps_per_epoch=2, epochs=5, seed=seed)


def test_a_step_has_its_phase_its_seed_and_its_rate():
    made = make()
    batch = jnp.ones(2)
    state, metrics = made.step(0)(made.state, made.frozen, batch)
    schedule = learning_rate(OPTIMIZATION, 2, 5)
    assert float(metrics["learning_rate"]) == pytest.approx(float(schedule(0)))
    key = jax.random.fold_in(jax.random.key(3), 0)
    assert float(metrics["draw"]) == pytest.approx(float(jax.random.uniform(key)))
    assert (float(metrics["train"]), float(metrics["phase"])) == (1, 0)
    assert float(metrics["norm/gradients"]) == pytest.approx(np.sqrt(4 * 1 + 4 * 4))
    before = np.asarray(state.params["a"])
    state, metrics = made.step(3)(state, made.frozen, batch)
    assert float(metrics["phase"]) == 1
    np.testing.assert_array_equal(state.params["a"], before)
    assert float(metrics["norm/gradients"]) == pytest.approx(2 * 2)
    assert float(state.statistics["count"]) == 2


def test_one_step_is_compiled_for_each_phase():
    made = make()
    assert made.step(0) is made.step(2)
    assert made.step(3) is made.step(4)
    assert made.step(2) is not made.step(3)


def test_an_evaluation_does_not_train():
    made = make(statistics={"count": jnp.array(7.0)})
    key = jax.random.key(11)
    metrics = made.evaluate(made.state, made.frozen, jnp.ones(2), key)
    assert (float(metrics["train"]), float(metrics["phase"])) == (0, 0)
    assert float(metrics["draw"]) == pytest.approx(float(jax.random.uniform(key)))
    assert float(metrics["count"]) == 7  # the recipe's statistics, not the model's
    assert float(metrics["loss"]) == 4 + 2 * 4
    shown = made.show(made.state, made.frozen, jnp.full(2, 3.0))
    np.testing.assert_array_equal(shown["face"][0], [3, 3])


def test_operations_are_those_without_rematerialisation(monkeypatch):
    """And with all products of attention to be seen."""
    seen = []
    monkeypatch.setenv(attend_fused.CHOICE, "on")

    def count(step: Any, *given: Any) -> float:
        seen.append(given)
        assert not attend_fused.is_usable()
        return 5.0

    monkeypatch.setattr(stage_module, "count_flops", count)
    noted = []

    def note(kind: runs.Kind, config: Any) -> Any:
        noted.append((kind.name, config))
        return runs.abstract_model(kind, config)

    monkeypatch.setattr(stage_module, "runs", SimpleNamespace(abstract_model=note))
    made = make(model=Toy(ToyConfig(remat=True), rngs=nnx.Rngs(0)))
    assert made.operations(0, jnp.ones(2)) == 5.0
    assert noted == [("toy", ToyConfig(remat=False))]
    ((state, frozen, batch),) = seen
    assert state.params["a"].shape == (2, 2)
    assert set(frozen) == {"scale"}
    assert batch.shape == (2,)


def test_the_loops_configuration_reaches_the_stage(monkeypatch):
    seen: dict[str, Any] = {}

    def note(recipe: Any, optimization: Any, mesh: Any, **options: Any) -> Any:
        seen.update(options, recipe=recipe, optimization=optimization, mesh=mesh)
        return make()

    monkeypatch.setattr(loop, "make_stage", note)
    config = LoopConfig(
        epochs=7, seed=9, precision="bfloat16", accumulate=4, optimizer=OPTIMIZATION
    )
    given, mesh = recipe(), make_device_mesh()
    config.make_stage(given, mesh, 13)
    assert seen.pop("recipe") is given
    assert seen.pop("mesh") is mesh
    assert seen == {
        "optimization": OPTIMIZATION,
        "steps_per_epoch": 13,
        "epochs": 7,
        "seed": 9,
        "precision": "bfloat16",
        "accumulate": 4,
    }


def test_statistics_are_measured_over_everything_for_the_model_that_is_kept():
    seen = Measurement(
        lambda model, batch: batch * model.a[0, 0], lambda rows: {"count": rows.max()}
    )
    made = make(measurement=seen)
    state = made.measure(made.state, lambda: [np.arange(3.0), np.array([7.0]), np.zeros(2)])
    assert float(state.statistics["count"]) == 7
    assert state.params is made.state.params
    unmeasured = make()
    assert unmeasured.measure(unmeasured.state, tuple) is unmeasured.state


def test_a_kept_models_statistics_are_measured(tmp_path):
    """After each improvement, and then they stay until the next."""
    losses, measured = iter([3.0, 4.0, 1.0, 2.0]), []

    def measure(state: Any, everything: Any) -> Any:
        measured.append((int(state.step), [float(batch[0]) for batch in everything()]))
        return dataclasses.replace(state, statistics={"count": jnp.float32(state.step)})

    scripted = stage({}, evaluate=lambda *_: {"loss": jnp.asarray(next(losses))}, measure=measure)
    given = dataclasses.replace(
        data(), validation=lambda: [np.zeros(2)], everything=lambda: [np.ones(2), np.zeros(1)]
    )
    scripted = dataclasses.replace(
        scripted, state=dataclasses.replace(scripted.state, statistics={"count": jnp.zeros(())})
    )
    config = dataclasses.replace(CONFIG, validate_every=1)
    loop.train(scripted, given, config, tmp_path, resume=False)
    assert measured == [(2, [1.0, 0.0]), (6, [1.0, 0.0])]
    saved = {kind: newest_arrays(tmp_path / kind) for kind in ("model", "state")}
    assert [next(v for k, v in each.items() if "count" in k) for each in saved.values()] == [6, 6]


def test_models_that_can_keep_less_are_counted_as_those_that_keep_all():
    assert stage_module._without_remat(ToyConfig(remat=True)) == ToyConfig(remat=False)
    assert stage_module._without_remat(OPTIMIZATION) is OPTIMIZATION


@pytest.mark.parametrize(
    ("roles", "read", "exchanged"),
    [
        ("both", ["ab", "cd", "ba", "dc"], None),
        ("either", ["ab", "cd"], ["ba", "dc"]),
        ("drawn", ["ab", "cd", "ba", "dc"], ["ba", "dc", "ab", "cd"]),
    ],
)
def test_who_speaks(roles, read, exchanged):
    trained, coin = batches._in_roles(["ab", "cd", "ba", "dc"], roles)
    assert list(trained) == read
    assert coin.get("exchanged") == exchanged


def test_what_a_log_counts_by(tmp_path, monkeypatch):
    """Frames of a step are those of a clip times the batch's clips."""
    seen: dict[str, Any] = {}

    class Noted(Exception):
        pass

    def note(*given: Any, **options: Any) -> Any:
        seen.update(options)
        raise Noted

    monkeypatch.setattr(loop, "RunLog", note)
    config = dataclasses.replace(CONFIG, batch_size=3)
    numbers = dataclasses.replace(data(), frames=50)
    with pytest.raises(Noted):
        loop.train(stage({}), numbers, config, tmp_path / "run", resume=False)
    assert seen["frames_per_step"] == 150


class Split(SimpleNamespace):
    """Stands in for opened conversations: seven dyads to train on, three to validate with."""

    release = REACT2024

    def dyads(
        self, name: str, modalities: tuple[Modality, ...], mirrored: bool = True
    ) -> list[str]:
        if not mirrored:
            return [f"{name} as it is"] * 4
        keys = " ".join(modality.key for modality in modalities)
        return [f"{name} {keys}"] * {"train": 7, "val": 3}[name]

    def fingerprint(self) -> str:
        return "abc"


class Endless(Numbers):
    def __iter__(self) -> "Endless":
        return self


def test_what_is_read_for_training_and_for_validation(monkeypatch):
    asked = []

    def note(conversations: Any, dyads: Any, mean: Any, **options: Any) -> Endless:
        asked.append((dyads, mean, options))
        return Endless()

    monkeypatch.setattr(batches, "open_conversations", lambda path: Split(path=path))
    monkeypatch.setattr(batches, "training_batches", note)
    mean = np.ones(58, np.float32)
    common = {
        "frames": 96,
        "batch_size": 3,
        "seed": 5,
        "modalities": (Modality("speaker", "coeffs"), Modality("speaker", "waveform", frames=64)),
    }
    read = batches.read_data(Path("x"), mean, **common, trained_frames=32, workers=2, windows=4)
    assert (read.steps_per_epoch, read.frames, read.fingerprint) == (2, 32, "abc")
    read.training()
    read.validation()
    (train, train_mean, training), (val, _, validation) = asked
    assert train == ["train speaker_coeffs speaker_waveform"] * 7
    assert val == ["val speaker_coeffs speaker_waveform"] * 3
    assert train_mean is mean
    cache = training.pop("cache")
    assert isinstance(cache, ArrayCache)
    assert validation.pop("cache") is cache  # what was read is there again
    assert training == common | {"workers": 2, "shard": (0, 1), "crop": "random"}
    once = {"crop": "start", "windows": 4, "shuffle": False, "epochs": 1, "drop_remainder": False}
    assert validation == common | once


@pytest.mark.parametrize("others", [(), ("listener",)])
def test_pairs_that_are_not_mirrored_keep_their_roles(monkeypatch, others):
    """Unless one person alone is asked for: then everybody is."""
    asked = []
    conversations = Split(path="x", release=MARS)
    monkeypatch.setattr(batches, "open_conversations", lambda path: conversations)
    monkeypatch.setattr(batches, "_long_enough", lambda where, dyads, frames, ways: dyads)

    def note(conversations: Any, dyads: Any, mean: Any, **options: Any) -> Endless:
        asked.append((dyads, options))
        return Endless()

    monkeypatch.setattr(batches, "training_batches", note)
    read = batches.read_data(
        Path("x"),
        None,
        frames=96,
        trained_frames=96,
        batch_size=2,
        seed=0,
        workers=0,
        roles="either",
        modalities=tuple(Modality(role, "coeffs") for role in ("speaker", *others)),
    )
    read.training()
    ((dyads, options),) = asked
    if others:
        assert dyads == ["train as it is"] * 4
        assert "exchanged" not in options
    else:
        assert len(dyads) == 3
        assert len(options["exchanged"]) == 4


def test_pictures_come_when_due(tmp_path, monkeypatch):
    """Every second validation, and the last one; of the batch that validation begins with."""
    drawn, logged = [], []

    def show(state: Any, frozen: Any, batch: Any) -> Any:
        return {"face": (batch, None)}

    def draw(faces: Any, title: str) -> dict[str, np.ndarray]:
        drawn.append((title, float(faces["face"][0][0])))
        return {"heads": np.zeros((2, 2, 3), np.uint8)}

    monkeypatch.setattr(
        loop.RunLog, "pictures", lambda self, step, pictures: logged.append((step, set(pictures)))
    )
    config = dataclasses.replace(CONFIG, epochs=5, validate_every=1, pictures_every=2)
    few = dataclasses.replace(data(), validation=lambda: [np.full(2, 6.0), np.zeros(1)])
    loop.train(stage({"draw": draw}, show=show), few, config, tmp_path, resume=False)
    assert drawn == [("step 4", 6.0), ("step 8", 6.0), ("step 10", 6.0)]
    assert logged == [(step, {"heads"}) for step in (4, 8, 10)]
