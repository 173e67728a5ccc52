"""Both stages as a user trains them, and what their runs then do."""

import dataclasses
import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxreact
from jaxreact import Speaker, runs
from jaxreact.data.conversations import open_conversations
from jaxreact.errors import UserError
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.nn.quantizers import Statistics
from jaxreact.systems.belfusion import train_denoiser as denoiser_module
from jaxreact.systems.belfusion import train_vae as vae_module
from jaxreact.systems.belfusion.config import DenoiserConfig
from jaxreact.systems.belfusion.conversion import convert_vae
from jaxreact.systems.belfusion.kinds import VAE
from jaxreact.systems.belfusion.presets import DENOISER_PRESETS, VAE_PRESETS
from jaxreact.systems.belfusion.train_denoiser import (
    DenoiserTraining,
    Given,
    crop_frames,
    pair_of_windows,
)
from jaxreact.systems.belfusion.train_vae import statistics_of
from jaxreact.torch_files.torch_file import read_checkpoint
from jaxreact.train import train
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from tests.systems.belfusion.weights import SMALL_DENOISER, denoiser, golden, vae
from tests.training.processes import assert_same_state
from tests.training.test_loop import Numbers, interrupt


def command(stage: str, *options: object) -> None:
    """python -m jaxreact.train belfusion/STAGE debug OPTIONS"""
    train(f"belfusion/{stage}", ["debug", *map(str, options)])


@pytest.fixture(scope="module")
def vae_run(conversations, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("belfusion") / "vae"
    command("vae", "--data", conversations, "--out", out)
    return out


@pytest.fixture(scope="module")
def run(vae_run, conversations) -> Path:
    out = vae_run.parent / "denoiser"
    command("denoiser", "--data", conversations, "--first", vae_run, "--out", out)
    return out


@pytest.mark.slow
def test_a_vaes_run_knows_its_latents_and_its_mean_face(vae_run, conversations):
    """The statistics are those of the model that was kept, over both roles of the split."""
    model, content = runs.load_model(vae_run, VAE)
    assert (content["preset"], content["stage"]["mode"]) == ("debug", "corrected")
    data = open_conversations(conversations)
    np.testing.assert_array_equal(runs.mean_face(content, vae_run), data.mean_face())
    clips = {c for d in data.dyads("train", ("emotion",)) for c in (d.speaker, d.listener)}
    emotion = np.stack([data.emotion(clip)[:100] for clip in clips])
    states = np.asarray(model.hidden(model.windows(jnp.asarray(emotion))))
    assert len(states) == 4 * 4
    for name, value in statistics_of(states)["statistics"].items():
        known = getattr(model.statistics, name)[...]
        np.testing.assert_allclose(known, value, rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_a_run_reacts_and_is_evaluated(run, conversations, tmp_path):
    system = jaxreact.load(run)
    emotion = np.random.default_rng(0).random((1, 60, 25), np.float32)
    made = system.react(Speaker(emotion=emotion), 2, key=jax.random.key(0))
    assert made.coeffs is not None
    assert made.emotion.shape == (1, 2, 60, 25)
    assert np.isfinite(made.coeffs).all()
    out = tmp_path / "out"
    evaluate(Evaluation(conversations, out, split="val", run=run, samples=2, frames=96))
    assert set(json.loads((out / "metrics.json").read_text())["scores"]) >= {"FRC", "FRDvs"}
    assert (run / "training_report.html").is_file()
    inside = json.loads((run / "vae" / "config.json").read_text())
    assert inside["stage"]["mode"] == "corrected"  # how the faces were learnt


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="only PyTorch writes its files")
def test_a_run_becomes_the_originals_checkpoint(run, tmp_path):
    from jaxreact.systems.to_torch import write_torch

    write_torch(run, tmp_path / "checkpoint_1.pth")
    write_torch(run / "vae", tmp_path / "vae" / "checkpoint_1.pth")
    names = set(read_checkpoint(tmp_path / "checkpoint_1.pth")["state_dict"])
    assert {"time_embed.0.weight", "layers.0.cond_layers.1.weight"} <= names
    known = read_checkpoint(tmp_path / "vae" / "checkpoint_1.pth")["statistics"]
    assert set(known) == {"min", "max", "mean", "std", "var"}
    assert (known["max"] > known["min"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["vae", "denoiser"])
def test_a_resumed_run_is_the_uninterrupted_one(
    stage, vae_run, run, conversations, tmp_path, monkeypatch
):
    first = ("--first", vae_run) if stage == "denoiser" else ()
    again = partial(command, stage, "--data", conversations, "--out", tmp_path / "run", *first)
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            again()
    again("--resume")
    assert_same_state(tmp_path / "run", vae_run if stage == "vae" else run)


@pytest.mark.slow
def test_a_denoiser_learns_with_a_converted_vae(conversations, tmp_path):
    from tests.systems.belfusion.weights import CHECKPOINTS

    mean = conversations / "mean_face.npy"
    convert_vae(CHECKPOINTS / "vae_small", tmp_path / "vae", mean)
    sizes = ("--model.emb-length", 12, "--model.window-size", 5)
    command(
        *("denoiser", "--data", conversations, "--first", tmp_path / "vae", *sizes),
        *("--mode", "original", "--out", tmp_path / "run", "--loop.pictures-every", 1),
    )
    assert jaxreact.load(tmp_path / "run").fingerprint()


def settings(presets: Any, *options: object) -> Any:
    return parse(presets, ["debug", "--data", "data", "--out", "out", *map(str, options)])


def test_what_does_not_go_together_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match=r"--clip-frames 110 is not a multiple of .* 25 frames"):
        vae_module.train_vae(settings(VAE_PRESETS, "--clip-frames", 110))
    with pytest.raises(UserError, match=r"--model.hidden-dim 9 and --model.z-dim 8 differ"):
        vae_module.train_vae(settings(VAE_PRESETS, "--model.hidden-dim", 9))
    for option in ("--model.emotion-dim", "--model.coeff-3dmm-dim"):
        with pytest.raises(UserError, match=rf"{option} 7.*: the data has 25 and 58; leave them"):
            vae_module.train_vae(settings(VAE_PRESETS, option, 7))
    with pytest.raises(UserError, match=r"--samples 0 and .* must be 1 or more"):
        denoiser_module.train_denoiser(
            settings(DENOISER_PRESETS, "--first", tmp_path, "--samples", 0)
        )
    with pytest.raises(UserError, match=r"no config\.json here; give the directory of a trained"):
        denoiser_module.train_denoiser(settings(DENOISER_PRESETS, "--first", tmp_path))


def test_a_denoiser_is_as_wide_as_its_vaes_latents():
    given = settings(DENOISER_PRESETS, "--first", "vae")
    with pytest.raises(
        UserError,
        match=r"vae: its latents are 12 wide .* --model.emb-length 12 --model.window-size 5",
    ):
        denoiser_module._check_fit(given, vae().config)
    fitting = dataclasses.replace(given, model=SMALL_DENOISER)
    denoiser_module._check_fit(fitting, vae().config)
    with pytest.raises(UserError, match="hidden_dim 12 and its z_dim 9 differ"):
        denoiser_module._check_fit(fitting, dataclasses.replace(vae().config, z_dim=9))


def test_statistics_are_the_originals():
    known = golden("vae_small")
    clips = [known[f"statistics_{role}.{i}"] for role in ("speaker", "listener") for i in (0, 1)]
    model = vae()
    states = [vae_module._states(model, {"listener_emotion": jnp.asarray(x)}) for x in clips]
    found = statistics_of(np.concatenate(states))["statistics"]
    assert set(found) == {"min", "max", "mean", "std", "var"}
    for name, value in found.items():
        np.testing.assert_allclose(value, known[f"statistics.{name}"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("train", [True, False])
def test_what_the_vaes_loss_is_given(monkeypatch, train):
    """Noise for every window in training, none in validation; statistics stay as they are."""
    asked: list[Any] = []

    def note(model: Any, *given: Any) -> Any:
        asked.extend(given)
        return jnp.zeros(()), {"loss": jnp.zeros(())}

    monkeypatch.setattr(vae_module, "vae_loss", note)
    batch = {"listener_emotion": jnp.zeros((2, 20, 25)), "listener_coeffs": jnp.ones((2, 20, 58))}
    model, key = vae(), jax.random.key(1)
    _, (_, statistics) = vae_module._loss("original", model, {}, batch, key, train, 0)
    assert asked[0] is batch["listener_emotion"]
    assert asked[1] is batch["listener_coeffs"]
    assert asked[3] == "original"
    if train:
        np.testing.assert_array_equal(asked[2], jax.random.normal(key, (8, 12)))
    else:
        assert asked[2] is None
    assert jax.tree.all(
        jax.tree.map(np.array_equal, statistics, nnx.to_pure_dict(nnx.state(model, Statistics)))
    )


def test_the_windows_that_answer_each_other():
    frames = jnp.broadcast_to(jnp.arange(14.0)[None, :, None], (2, 14, 25))
    batch = {"speaker_emotion": frames, "listener_emotion": frames + 100}
    for online, answer in ((False, 103), (True, 108)):
        config = dataclasses.replace(SMALL_DENOISER, online=online)
        speaker, listener = pair_of_windows(batch, jnp.asarray(3), config)
        np.testing.assert_array_equal(speaker[0, :, 0], np.arange(3, 8))
        np.testing.assert_array_equal(listener[0, :, 0], np.arange(answer, answer + 5))


@pytest.mark.parametrize(
    ("mode", "online", "frames"),
    [
        ("corrected", False, 50),
        ("corrected", True, 100),
        ("original", False, 99),
        ("original", True, 149),
    ],
)
def test_frames_that_are_read_for_a_window(mode, online, frames, monkeypatch):
    """In the original's training frames 0 to 98, online of the listener 50 to 148 (B13)."""
    assert crop_frames(DenoiserConfig(online=online), mode) == frames
    asked: dict[str, Any] = {}
    monkeypatch.setattr(
        denoiser_module,
        "read_data",
        lambda *_, **given: asked.update(given) or Data(Numbers, 1, list),
    )
    config = settings(DENOISER_PRESETS, "--first", "vae", "--mode", mode)
    denoiser_module._data(
        dataclasses.replace(config, model=DenoiserConfig(online=online), validation_windows=6)
    )
    assert (asked["frames"], asked["trained_frames"], asked["roles"]) == (frames, 50, "either")
    assert (asked["crop"], asked["windows"]) == (
        ("start", 1) if mode == "original" else ("random", 6)
    )


def test_what_the_denoisers_loss_is_given(monkeypatch):
    """A step for each pair, noise for each of its samples, other ones with every key."""
    asked: list[Any] = []

    def note(model: Any, vae: Any, *given: Any) -> Any:
        asked.append(given)
        return jnp.zeros(()), {"loss": jnp.zeros(())}

    monkeypatch.setattr(denoiser_module, "denoiser_loss", note)
    given = Given(nnx.split(vae())[0], settings(DENOISER_PRESETS, "--first", "v", "--samples", 3))
    frozen = {"vae": nnx.to_pure_dict(nnx.state(vae()))}
    frames = jnp.zeros((64, 10, 25))
    batch = {"speaker_emotion": frames, "listener_emotion": frames}
    model = denoiser(online=True)
    for seed in (0, 1):
        key = jax.random.key(seed)
        denoiser_module._loss(given, model, frozen, batch, key, True, 0)
    (_, _, step, noise), (_, _, other_step, other_noise) = asked
    assert set(np.asarray(step).tolist()) == set(range(10))
    assert noise.shape == (64, 3, 12)
    assert 0.9 < float(jnp.std(noise)) < 1.1
    assert not np.array_equal(step, other_step)
    assert not np.array_equal(noise, other_noise)


@pytest.mark.parametrize("preset", [*DENOISER_PRESETS])
def test_the_presets_of_both_stages_fit(preset):
    first = parse(VAE_PRESETS, [preset, "--data", "x", "--out", "y"])
    second = parse(DENOISER_PRESETS, [preset, "--data", "x", "--out", "y", "--first", "z"])
    assert isinstance(second, DenoiserTraining)
    denoiser_module._check_fit(second, first.model)
    vae_module._check(first)
    assert first.mode == second.mode == ("original" if preset == "original" else "corrected")


def test_the_originals_recipe():
    vae_loop = VAE_PRESETS["original"](Path(), Path()).loop
    denoising = DENOISER_PRESETS["original"](Path(), Path(), first=Path())
    loop = denoising.loop
    assert (vae_loop.epochs, vae_loop.batch_size, loop.epochs, loop.batch_size) == (
        1000,
        32,
        100,
        32,
    )
    assert denoising.samples == 10
    for optimizer, rate in ((vae_loop.optimizer, 1e-3), (loop.optimizer, 1e-4)):
        assert (optimizer.learning_rate, optimizer.weight_decay) == (rate, 5e-4)
        assert (optimizer.beta1, optimizer.beta2, optimizer.decay) == (0.9, 0.999, "all")
        assert (optimizer.warmup_steps, optimizer.final_share) == (0, 1)
    assert next(iter(VAE_PRESETS)) == next(iter(DENOISER_PRESETS)) == "corrected"
