"""In which order a run's model and state come to disk."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.checkpoints import Checkpoints
from jaxreact.errors import UserError
from jaxreact.training import saving
from jaxreact.training.saving import ResumePoint, Saver
from jaxreact.training.state import TrainState


class Recorder:
    """Stands in for `Checkpoints` and notes what it is asked for."""

    events: list[tuple[Any, ...]] = []  # noqa: RUF012 (each test begins a new list)
    saved: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, directory: Path):
        self.name = directory.name

    def save(self, step: int, arrays: Any, record: Any = None) -> None:
        self.events.append((self.name, "save", step))
        self.saved[f"{self.name} {step}"] = (arrays, record)

    def wait(self) -> None:
        self.events.append((self.name, "wait"))

    def close(self) -> None:
        self.events.append((self.name, "close"))


@pytest.fixture
def events(monkeypatch) -> list[tuple[Any, ...]]:
    monkeypatch.setattr(saving, "Checkpoints", Recorder)
    monkeypatch.setattr(Recorder, "events", [])
    monkeypatch.setattr(Recorder, "saved", {})
    return Recorder.events


def state(value: float = 1.0) -> TrainState:
    statistics = {"quantize": {"embed": jnp.full(1, -value)}}
    return TrainState(jnp.array(0), {"w": jnp.full(2, value)}, statistics, ())


SCORES = {"loss": 1.0}
MODEL_THEN_STATE = [("model", "save", 2), ("model", "wait"), ("state", "save", 2)]


def test_a_state_waits_for_the_best_model_that_it_knows_of(events, tmp_path):
    saver = Saver(tmp_path)
    saver.save(2, state(), ResumePoint(None), SCORES)
    assert events == [("model", "save", 2)]
    saver.release()
    assert events == MODEL_THEN_STATE
    saver.release()
    assert events == MODEL_THEN_STATE


def test_a_held_state_is_saved_before_the_next_one(events, tmp_path):
    saver = Saver(tmp_path)
    saver.save(2, state(), ResumePoint(None), SCORES)
    saver.save(4, state(), ResumePoint(None))
    assert events == [*MODEL_THEN_STATE, ("state", "save", 4)]
    saver.save(6, state(), ResumePoint(None), SCORES)
    assert events[4:] == [("model", "save", 6)]


def test_a_held_state_is_the_one_of_that_step(events, tmp_path):
    """The training goes on in the same memory, while the state waits."""
    saver, held = Saver(tmp_path), state(3.0)
    saver.save(2, held, ResumePoint({"next": 5}, 0.25), SCORES)
    held.params["w"].delete()
    saver.finish()
    arrays, record = Recorder.saved["state 2"]
    np.testing.assert_array_equal(arrays.params["w"], 3.0)
    assert record == {"iterator": {"next": 5}, "best": 0.25}
    model, scores = Recorder.saved["model 2"]
    assert set(model) == {"w", "quantize"}
    assert scores == SCORES


def test_the_end_waits_for_both_and_closes_them(events, tmp_path):
    with Saver(tmp_path) as saver:
        saver.save(2, state(), ResumePoint(b"as bytes"), SCORES)
    waited, closed = events[3:5], events[5:]
    assert events[:3] == MODEL_THEN_STATE
    assert waited == [("model", "wait"), ("state", "wait")]
    assert closed == [("model", "close"), ("state", "close")]
    assert Recorder.saved["state 2"][1]["iterator"] == {"bytes": "as bytes"}


def test_the_first_of_two_errors_is_told_and_both_are_closed(events, tmp_path, monkeypatch):
    def full(self: Recorder) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr(Recorder, "wait", full)
    with pytest.raises(UserError, match="the disk is full"), Saver(tmp_path):
        pass
    with pytest.raises(KeyError, match="first"), Saver(tmp_path):
        raise KeyError("first")
    assert events == [("model", "close"), ("state", "close")] * 2


def test_files_hold_layers_one_by_one(tmp_path):
    """So that a run of before can be resumed, and one of now read by the version before."""
    params = {"h": {"each": {"w": jnp.arange(24.0).reshape(12, 2)}}}
    before = TrainState(jnp.array(7), params, {}, {"mu": params})
    with Saver(tmp_path) as saver:
        saver.save(7, before, ResumePoint(None), SCORES)
    shape = jax.ShapeDtypeStruct((2,), jnp.float32)
    layers = {"h": {number: {"w": shape} for number in range(12)}}
    with Checkpoints(tmp_path / "model", read_only=True) as models:
        model = models.restore(layers)[0]
    np.testing.assert_array_equal(model["h"][11]["w"], [22, 23])
    like = jax.tree.map(jnp.zeros_like, before)
    with Saver(tmp_path) as saver:
        found = saver.restore(like)[0]
    assert jax.tree.structure(found) == jax.tree.structure(before)
    jax.tree.map(np.testing.assert_array_equal, found, before)
