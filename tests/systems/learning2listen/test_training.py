"""Both stages as a user trains them, and what their runs then do."""

import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxreact
from jaxreact import runs
from jaxreact.data.conversations import open_conversations
from jaxreact.errors import UserError
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.nn.quantizers import Statistics
from jaxreact.systems.learning2listen import masks
from jaxreact.systems.learning2listen.config import WINDOW
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.presets import CODER_PRESETS, LISTENER_PRESETS
from jaxreact.systems.learning2listen.schedule import learning_rate as original_rate
from jaxreact.systems.learning2listen.train_predictor import _codes, _data, _visible
from jaxreact.systems.learning2listen.train_vqvae import CLIP
from jaxreact.systems.system import OnlineSystem, Speaker
from jaxreact.train import train
from jaxreact.training.optimizer import learning_rate
from jaxreact.variables import variables_of
from tests.systems.learning2listen.models import coder, listener
from tests.training.processes import assert_same_state
from tests.training.test_loop import interrupt


def command(stage: str, *options: object) -> None:
    """python -m jaxreact.train learning2listen/STAGE debug OPTIONS"""
    train(f"learning2listen/{stage}", ["debug", *map(str, options)])


@pytest.fixture(scope="module")
def vqvae_run(conversations, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("learning2listen") / "vqvae"
    command("vqvae", "--data", conversations, "--out", out)
    return out


@pytest.fixture(scope="module")
def run(vqvae_run, conversations) -> Path:
    out = vqvae_run.parent / "predictor"
    command("predictor", "--data", conversations, "--first", vqvae_run, "--out", out)
    return out


@pytest.mark.parametrize(
    ("presets", "base", "width"), [(CODER_PRESETS, 2.0, 256), (LISTENER_PRESETS, 0.01, 200)]
)
def test_the_originals_rates(presets, base, width):
    optimization = presets["original"].keywords["loop"].optimizer
    ours, theirs = learning_rate(optimization, 10, 10), original_rate(base, width, 100_000)
    for number in (0, 1, 99_999, 100_000, 400_000):
        assert float(ours(number)) == pytest.approx(float(theirs(number)), rel=1e-5)


def test_a_batch_has_the_speakers_and_the_listeners_frames_in_their_places(conversations):
    """Crops are anywhere; the listener's window after them begins eight frames before their end."""
    config = LISTENER_PRESETS["debug"](data=conversations, out=Path("unused"), first=Path("unused"))
    batch = next(iter(_data(config).validation()))
    data = open_conversations(conversations)
    dyad = data.dyads("val")[0]
    np.testing.assert_array_equal(batch["speaker_coeffs"][0], data.coeffs(dyad.speaker)[:40])
    np.testing.assert_array_equal(batch["listener_coeffs"][0], data.coeffs(dyad.listener)[:CLIP])
    assert batch["speaker_audio"].shape[1:] == (160, 128)
    model = coder(in_dim=83, code_layout="time")
    past, targets = _codes(model, {k: jnp.asarray(v) for k, v in batch.items()})
    motion = np.concatenate([batch["listener_coeffs"], batch["listener_emotion"]], axis=-1)
    for codes, frames in ((past, slice(WINDOW)), (targets, slice(WINDOW, CLIP))):
        expected = model.encode(model.statistics(jnp.asarray(motion[:, frames])))
        np.testing.assert_array_equal(codes, expected)


def test_how_much_is_seen_is_drawn_for_each_clip_or_once(monkeypatch):
    key = jax.random.key(1)
    own = _visible(listener(mode="corrected"), key, 500)
    assert own.shape == (500,)
    assert set(np.asarray(own).tolist()) == set(range(masks.INDICES))
    theirs = _visible(listener(mode="original"), key, 500)  # L9
    assert theirs.shape == ()


def test_what_does_not_fit_is_said(conversations, tmp_path):
    with pytest.raises(UserError, match=r"--model\.in-dim 58: is trained on 83 channels"):
        command("vqvae", "--data", conversations, "--out", tmp_path / "a", "--model.in-dim", 58)
    model = runs.new_model(CODER, CODER_PRESETS["debug"].keywords["model"], 0)
    runs.save_model(tmp_path / "coder", CODER, model.config, variables_of(model))
    options = ("--data", conversations, "--first", tmp_path / "coder", "--out", tmp_path / "b")
    with pytest.raises(UserError, match="knows 13 codes, the VQ-VAE has 12"):
        command("predictor", *options, "--model.n-embed", 13)
    with pytest.raises(UserError, match=r"leave --model\.motion-dim"):
        command("predictor", *options, "--model.audio", "raw", "--model.audio-dim", 20)
    assert not (tmp_path / "b").exists()


@pytest.mark.slow
def test_a_run_reacts_streams_and_is_evaluated(run, vqvae_run, conversations, tmp_path):
    system = jaxreact.load(run)
    assert isinstance(system, OnlineSystem)
    coeffs = open_conversations(conversations).coeffs(
        open_conversations(conversations).dyads("val")[0].speaker
    )[None, :70]
    speaker = Speaker(coeffs=coeffs, waveform=np.zeros((1, 70 * 640), np.float32))
    made = system.react(speaker, 2, key=jax.random.key(0))
    assert made.emotion.shape == (1, 2, 70, 25)
    assert np.isfinite(np.asarray(made.coeffs)).all()
    out = tmp_path / "out"
    evaluate(Evaluation(conversations, out, split="val", run=run, samples=2, frames=96))
    content = json.loads((out / "metrics.json").read_text())
    assert content["made_by"]["code_layout"] == "time"
    inside = json.loads((run / "vqvae" / "config.json").read_text())
    assert inside["stage"]["mode"] == "corrected"
    model, _ = runs.load_model(vqvae_run, CODER)
    data = open_conversations(conversations)
    faces = np.concatenate([data.coeffs(d.listener)[:64] for d in data.dyads("train")])
    np.testing.assert_allclose(model.statistics.mean[:58], faces.mean(0), atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="only PyTorch writes its files")
def test_a_run_goes_back_to_torch(run, tmp_path):
    from jaxreact.systems.to_torch import write_torch

    write_torch(run, tmp_path / "predictor.pth")
    write_torch(run / "vqvae", tmp_path / "vqvae.pth")
    assert {path.suffix for path in tmp_path.iterdir()} >= {".pth", ".npz"}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["vqvae", "predictor"])
def test_a_resumed_run_is_the_uninterrupted_one(
    stage, vqvae_run, run, conversations, tmp_path, monkeypatch
):
    first = ("--first", vqvae_run) if stage == "predictor" else ()
    again = partial(command, stage, "--data", conversations, "--out", tmp_path / "run", *first)
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            again()
    again("--resume")
    assert_same_state(tmp_path / "run", vqvae_run if stage == "vqvae" else run)


@pytest.mark.slow
def test_codes_start_anew_alike_in_a_resumed_run(conversations, tmp_path, monkeypatch):
    """What is drawn of a batch depends on the step alone."""
    options = ("--model.codebook-decay", 0.5, "--model.codebook-least-use", 0.6)
    train_into = partial(command, "vqvae", "--data", conversations, *options, "--out")
    train_into(tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            train_into(tmp_path / "again")
    train_into(tmp_path / "again", "--resume")
    assert_same_state(tmp_path / "again", tmp_path / "whole")


@pytest.mark.slow
def test_the_norms_move_with_training(run):
    model, _ = runs.load_model(run, LISTENER)
    known = nnx.to_pure_dict(nnx.state(model, Statistics))
    steps = [
        int(value)
        for path, value in jax.tree_util.tree_leaves_with_path(known)
        if path[-1] == jax.tree_util.DictKey("batches")
    ]
    assert len(steps) == 3
    assert set(steps) <= {2, 4}  # of the validation that was the best
