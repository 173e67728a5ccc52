"""The frame-wise listener as a user trains it, and what its run then does."""

import json
from pathlib import Path

import numpy as np
import pytest

import jaxreact
from jaxreact import runs
from jaxreact.data.conversations import open_conversations
from jaxreact.data.layout import COEFFS
from jaxreact.errors import UserError
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.measures import measured_faces
from jaxreact.train import train
from jaxreact.variables import state_of
from tests.training.processes import assert_same_state
from tests.training.test_loop import interrupt


def command(*options: object) -> None:
    """python -m jaxreact.train framewise debug OPTIONS"""
    train("framewise", ["debug", *map(str, options)])


@pytest.fixture(scope="module")
def run(conversations, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("framewise") / "run"
    command("--data", conversations, "--out", out, "--loop.pictures-every", 1)
    return out


def test_a_run_is_evaluated(run, conversations, tmp_path):
    evaluate(Evaluation(conversations, tmp_path / "out", split="val", run=run, samples=2))
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert found["made_by"]["system"] == "framewise"
    assert set(found["scores"]) >= {"FRC", "FRDiv", "Jitter", "Seams", "FaceJitter"}
    assert found["scores"]["FRDiv"] > 0
    assert (run / "training_report.html").read_text().count("data:image/png") >= 2


def test_a_run_knows_how_faces_move_and_people_depart(run, conversations):
    data = open_conversations(conversations)
    mean = data.mean_face()
    faces = np.concatenate([data.coeffs(d.listener) for d in data.dyads("train", (COEFFS,))])
    known = measured_faces(conversations, mean)
    np.testing.assert_allclose(known.mean, faces.mean(0) - mean, atol=1e-4)
    np.testing.assert_allclose(known.std, np.maximum(faces.std(0), 1e-3), atol=1e-4)
    np.testing.assert_allclose(known.high, faces.max(0) - mean, atol=1e-5)
    held = state_of(runs.load_model(run, FRAMEWISE)[0])["statistics"]
    np.testing.assert_array_equal(held["face"]["std"], known.std)
    np.testing.assert_array_equal(held["residuals"]["low"], known.low)
    mixing = held["residuals"]["mixing"]
    units = np.square(mixing[:15]).sum(1)
    assert np.all((np.abs(units - 1) < 1e-3) | (units < 1e-6))  # a unit may never have moved
    assert np.abs(mixing[25:]).max() > 0.01
    assert 0.5 <= held["residuals"]["memory"] <= 0.99


@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one(run, conversations, tmp_path, monkeypatch):
    out = ("--data", conversations, "--out", tmp_path / "run", "--loop.pictures-every", 1)
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            command(*out)
    command(*out, "--resume")
    assert_same_state(tmp_path / "run", run)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--clip-frames", 31), "--clip-frames 31 is too little"),
        (("--validation-windows", 0), "--validation-windows 0 must be 1 or more"),
        (("--model.features", 0), "features 0 is not 1 or more"),
    ],
)
def test_sizes_that_cannot_be_are_refused_before_anything_is_made(
    options, words, conversations, tmp_path
):
    with pytest.raises((UserError, SystemExit)) as caught:
        command("--data", conversations, "--out", tmp_path / "run", *options)
    assert isinstance(caught.value, SystemExit) or words in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_the_run_loads_as_a_system(run):
    assert jaxreact.load(run).name == "framewise"
