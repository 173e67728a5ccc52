"""Trans-VAE as a user trains it, step by step as the original does, and what its run then does."""

import dataclasses
import json
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxreact
from jaxreact import Speaker
from jaxreact.data.modality import Modality
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.errors import UserError
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.simulation import SimulateConfig, simulate
from jaxreact.systems.trans_vae import training
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.conversion import TABLE
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.latent import Gaussian
from jaxreact.systems.trans_vae.model import Reaction, windows_of
from jaxreact.systems.trans_vae.presets import PRESETS
from jaxreact.systems.trans_vae.senses import heard, shorter_side, squares
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.torch_files.torch_file import read_state_dict
from jaxreact.train import stage_names, train
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from tests.checking import unchecked
from tests.golden.trans_vae import recipe
from tests.systems.trans_vae.models import golden_model, latent_noise
from tests.training.processes import assert_same_state, losses
from tests.training.steps import steps
from tests.training.test_loop import Numbers, interrupt
from tests.weights import GOLDEN, golden

BATCH, FRAMES = 2, 16


def settings(*options: object, preset: str = "debug") -> Any:
    return parse(PRESETS, [preset, "--data", "data", "--out", "out", *map(str, options)])


def command(*options: object) -> None:
    """python -m jaxreact.train trans-vae debug OPTIONS"""
    train("trans-vae", ["debug", *map(str, options)])


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Path:
    """Four simulated conversations of five seconds with small pictures."""
    root = tmp_path_factory.mktemp("seen") / "data"
    simulate(SimulateConfig(root, split=(2, 1, 1), seconds=5.0, workers=1, pictures=32))
    return root


@pytest.fixture(scope="module")
def run(seen) -> Path:
    out = seen.parent / "run"
    command("--data", seen, "--out", out, "--loop.pictures-every", 1)
    return out


@pytest.mark.slow
def test_a_run_reacts_and_is_evaluated(run, seen, tmp_path):
    system = jaxreact.load(run)
    video = np.random.default_rng(0).integers(0, 255, (1, 40, 32, 32, 3), np.uint8)
    speaker = Speaker(video=video, waveform=np.zeros((1, 40 * 640), np.float32))
    made = system.react(speaker, 2, key=jax.random.key(0))
    assert made.coeffs is not None
    assert made.emotion.shape == (1, 2, 40, 25)
    assert np.isfinite(made.coeffs).all()
    out = tmp_path / "out"
    evaluate(Evaluation(seen, out, split="val", run=run, samples=2, frames=32))
    assert set(json.loads((out / "metrics.json").read_text())["scores"]) >= {"FRC", "FRDvs"}
    content = json.loads((run / "config.json").read_text())
    assert (content["preset"], content["model"]["mode"]) == ("debug", "corrected")
    assert (run / "training_report.html").read_text().count("data:image/png") >= 2


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="only PyTorch writes its files")
def test_a_run_becomes_the_originals_checkpoint(run, tmp_path):
    from jaxreact.systems.to_torch import write_torch

    write_torch(run, tmp_path / "best_checkpoint.pth")
    assert len(read_state_dict(tmp_path / "best_checkpoint.pth")) == 98


@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one(run, seen, tmp_path, monkeypatch):
    out = ("--data", seen, "--out", tmp_path / "run", "--loop.pictures-every", 1)
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            command(*out)
    command(*out, "--resume")
    assert_same_state(tmp_path / "run", run)


@pytest.mark.slow
def test_a_cache_with_pictures_trains_too(run, seen, tmp_path):
    """As the root, but for sound that is resampled otherwise."""
    prepare(PrepareConfig(seen, tmp_path / "cache", pictures=32, workers=1))
    command("--data", tmp_path / "cache", "--out", tmp_path / "run")
    ours, theirs = losses(tmp_path / "run"), losses(run)
    assert ours == pytest.approx(theirs, rel=1e-2)


def test_data_without_pictures_is_refused_before_anything_is_made(conversations, tmp_path):
    with pytest.raises(UserError, match="Video_files: no such folder, and pictures") as caught:
        command("--data", conversations, "--out", tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def originals_steps(
    monkeypatch, tag: str, shape: tuple[int, int], count: int, rate: float, **sizes: Any
) -> tuple[dict[str, np.ndarray], list[list[float]]]:
    """Parameters by torch names after `count` steps as the original's script makes them, and each
    step's losses."""
    config = TransVAEConfig(mode="original", dropout=0.0, **sizes)
    windows = windows_of(config, shape[1])
    recorded = {
        "speaker_video": recipe.video(tag, *shape, config.image_size),
        "speaker_audio": recipe.audio(tag, *shape),
        "listener_coeffs": recipe.face(tag, *shape),
        "listener_emotion": recipe.emotion(tag, *shape),
    }
    noises = [
        [latent_noise(f"{tag}.{i}.{x}", shape[0], windows, config.features) for x in "ab"]
        for i in range(count)
    ]
    batches = [{**recorded, "noise": np.concatenate(noise, axis=1)} for noise in noises]
    monkeypatch.setattr(training, "_noise", lambda key, model, batch, samples: batch["noise"])
    loss = partial(training._loss, dataclasses.replace(settings(), model=config))
    recipes = PRESETS["original"].keywords["loop"].optimizer
    state, metrics = steps(
        golden_model(dropout=0.0, **sizes),
        lambda model, frozen, batch, key: loss(model, frozen, batch, key, True, 0),
        [jax.tree.map(jnp.asarray, batch) for batch in batches],
        dataclasses.replace(recipes, learning_rate=rate),
        trainable=lambda path: training.is_trained(config, path, 0),
    )
    order = ("loss", "reconstruction", "divergence", "likeness")
    losses = [[float(each[name]) for name in order] for each in metrics]
    return to_torch(paths(state.params), TABLE), losses


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["offline", "online"])
def test_three_steps_lead_to_the_originals_parameters(mode, monkeypatch):
    """Which its own script saved. Where a first gradient is about zero Adam makes steps of rounding
    noise: there is nothing to compare."""
    expected = golden(f"trans_vae/tvae_train_small_{mode}")
    tensors, losses = originals_steps(
        monkeypatch,
        f"train.{mode}",
        (BATCH, FRAMES),
        3,
        1e-3,
        features=16,
        online=mode == "online",
        image_size=32,
    )
    np.testing.assert_allclose(losses, expected["losses"], rtol=2e-5, atol=1e-5)
    theirs, compared = read_state_dict(GOLDEN / "trans_vae" / f"tvae_small_{mode}.pth"), 0
    for name, ours in tensors.items():
        gradient = expected.get(f"g.{name}", np.ones_like(ours))  # none: it must not move at all
        counted = np.abs(gradient) >= 1e-5
        compared += counted.sum()
        np.testing.assert_allclose(
            ours[counted], theirs[name][counted], rtol=0, atol=5e-6, err_msg=name
        )
    assert compared > 10_000


@pytest.mark.slow
def test_two_steps_at_the_released_size_are_the_originals(monkeypatch):
    """224 pixels and 128 features: what the network became in the first step, the second's losses
    say; norms of all parameters say the rest."""
    expected = golden("trans_vae/tvae_train_released_online")
    rate = float(expected["learning_rate"])
    sizes = {"features": 128, "online": True, "window": 16}
    tensors, losses = originals_steps(monkeypatch, "train.released", (1, 32), 2, rate, **sizes)
    np.testing.assert_allclose(losses, expected["losses"], rtol=2e-5)
    assert losses[0][0] != pytest.approx(losses[1][0], rel=1e-4)
    norms = [np.linalg.norm(tensors[str(name)]) for name in expected["param_names"]]
    # A key bias has no gradient: Adam moves it by rounding noise, at most a rate a step.
    np.testing.assert_allclose(norms, expected["param_norms_after"], rtol=1e-5, atol=2 * rate)


def test_what_is_read(monkeypatch):
    asked: dict[str, Any] = {}
    monkeypatch.setattr(
        training, "read_data", lambda *_, **given: asked.update(given) or Data(Numbers, 1, list)
    )
    mean = np.zeros(58, np.float32)
    training._data(settings("--validation-windows", 3), mean)
    video, audio, *listener = asked["modalities"]
    assert video == Modality("speaker", "video", size=(32, 32))
    assert listener == [Modality("listener", "coeffs"), Modality("listener", "emotion")]
    sound = np.random.default_rng(0).normal(size=32 * 640).astype(np.float32)
    assert audio.key == "speaker_audio"
    assert audio.function is not None
    np.testing.assert_array_equal(audio.function(sound), heard(sound[None], 32, 44100, 16)[0])
    assert (asked["frames"], asked["roles"], asked["windows"]) == (32, "drawn", 3)
    assert asked["validation_crop"] == "start"
    training._data(settings("--model.mode", "original"), mean)
    assert (asked["windows"], asked["validation_crop"]) == (1, "random")  # B5


@pytest.mark.parametrize("side", [28, 224])
def test_the_middle_of_a_picture_is_what_the_system_sees(side):
    outer = shorter_side(side)
    assert outer == {28: 32, 224: 256}[side]
    video = np.random.default_rng(0).integers(0, 255, (1, 2, outer, outer, 3), np.uint8)
    np.testing.assert_array_equal(training.middle(jnp.asarray(video), side), squares(video, side))


class Model:
    """Stands in for a network: notes what it is given, and answers the first noise."""

    def __init__(self, config: TransVAEConfig):
        self.config, self.asked = config, []

    def __call__(self, video: Any, audio: Any, noise: Any, seed: Any) -> Reaction:
        self.asked.append((video.shape, noise, seed))
        shape = (*noise.shape[:2], video.shape[1])
        face = Face(jnp.ones((*shape, 58)) * noise[0, 0, 0, 0], jnp.zeros((*shape, 25)))
        return Reaction(face, Gaussian(noise, jnp.ones_like(noise)))


@pytest.mark.parametrize(
    ("train", "mode", "samples", "windows"),
    [
        (True, "corrected", 2, 3),
        (True, "original", 2, 2),
        (False, "corrected", 1, 3),
        (False, "original", 1, 5),  # of 8 frames, whatever it trains with (B4)
    ],
)
def test_what_the_model_is_asked_for(train, mode, samples, windows):
    config = settings("--model.mode", mode)
    model = Model(config.model)
    batch = {
        "speaker_video": jnp.zeros((2, 42, 32, 32, 3), jnp.uint8),
        "speaker_audio": jnp.zeros((2, 42, 78)),
        "listener_coeffs": jnp.zeros((2, 42, 58)),
        "listener_emotion": jnp.zeros((2, 42, 25)),
    }
    key = jax.random.key(0)
    with unchecked():
        network: Any = model
        value, (metrics, _) = training._loss(config, network, {}, batch, key, train, 0)
    ((shape, noise, seed),) = model.asked
    assert shape == (2, 42, 28, 28, 3)
    assert noise.shape == (2, samples, windows, 8)
    assert (seed is not None) == train
    assert ("likeness" in metrics) == train
    parts = metrics["reconstruction"] + 1e-5 * metrics["divergence"]
    expected = parts + 10 * metrics.get("likeness", 0)
    np.testing.assert_allclose([value, metrics["loss"]], [expected] * 2, rtol=1e-6)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(UserError, match="15 is less than a window of 16 frames"):
        training._check(settings("--clip-frames", 15))
    with pytest.raises(UserError, match=r"--validation-windows 0 must be 1 or more"):
        training._check(settings("--validation-windows", 0))


def test_offline_nothing_trains_what_nothing_depends_on():
    for online in (False, True):
        model = TransVAEConfig(online=online)
        assert training.is_trained(model, ("fusion", "kernel"), 0) == online
        assert training.is_trained(model, ("speaker_behaviour_encoder", "fusion_layer"), 0)


def test_the_stage_is_named_by_its_system():
    assert "trans-vae" in stage_names()
    assert {"belfusion/vae", "belfusion/denoiser", "fiber/tokenizer"} <= set(stage_names())
    with pytest.raises(UserError, match="no stage 'belfusion'; choose one of"):
        train("belfusion", [])


def test_the_originals_recipe():
    config = SimpleNamespace(**vars(PRESETS["original"](Path(), Path())))
    assert (config.clip_frames, config.loop.batch_size, config.loop.epochs) == (256, 4, 50)
    assert (config.weights.kl, config.weights.diversity) == (1e-5, 10.0)
    assert (config.model.window, config.model.online, config.model.mode) == (16, True, "original")
    optimizer = config.loop.optimizer
    assert (optimizer.learning_rate, optimizer.weight_decay, optimizer.decay) == (1e-5, 5e-4, "all")
    assert (optimizer.beta1, optimizer.beta2, optimizer.warmup_steps) == (0.9, 0.999, 0)
    assert next(iter(PRESETS)) == "corrected"
    for preset in PRESETS:
        mode = settings(preset=preset).model.mode
        assert mode == ("original" if preset == "original" else "corrected")
