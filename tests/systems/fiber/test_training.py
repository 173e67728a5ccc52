"""Both training commands on simulated conversations, as a user starts them."""

import json
import runpy
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jaxreact.audio_features.load import load_audio_encoder
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.errors import UserError
from jaxreact.systems.fiber.loaded_predictor import load_predictor
from jaxreact.systems.fiber.loaded_tokenizer import load_tokenizer
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.train_predictor import train_predictor
from jaxreact.systems.fiber.train_tokenizer import train_tokenizer
from jaxreact.training.command import parse
from tests.training.processes import losses, newest_state
from tests.training.test_loop import interrupt

ROOT = Path(__file__).parents[3]
VQ = ("--model.quantize-type", "vq", "--model.quantize-codebook-size", "32")
LFQ = ("--model.quantize-type", "lfq", "--model.quantize-codebook-size", "32")


def command(monkeypatch, script: str, *arguments: object) -> None:
    """Runs a script of the repository as `python SCRIPT ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
    runpy.run_path(str(ROOT / script), run_name="__main__")


def tokenizer_config(data: Path, out: Path, *options: object):
    arguments = ["debug", "--data", data, "--out", out, *options]
    return parse(TOKENIZER_PRESETS, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(conversations, tmp_path_factory) -> Path:
    """A tokenizer of the debug preset."""
    out = tmp_path_factory.mktemp("runs") / "tokenizer"
    train_tokenizer(tokenizer_config(conversations, out))
    return out


def test_the_tokenizers_command(trained, conversations, monkeypatch, capfd):
    tokenizer = load_tokenizer(trained)
    codes = tokenizer.encode(np.zeros((1, 64, 58), np.float32))
    assert codes.shape == (1, 64)
    content = json.loads((trained / "config.json").read_text())
    mean = np.load(conversations / "mean_face.npy").reshape(58)
    np.testing.assert_array_equal(tokenizer.mean_face, mean.astype(np.float32))
    assert content["training"]["epochs"] == 2
    assert list((trained / "tensorboard").glob("events*"))
    arguments = ("debug", "--data", conversations, "--out", trained)
    with pytest.raises(SystemExit) as stopped:
        command(monkeypatch, "train_tokenizer.py", *arguments)
    assert stopped.value.code == 1
    error = capfd.readouterr().err.strip().splitlines()
    assert error == [f"error: {trained}: holds a run already; add --resume or choose another --out"]
    command(monkeypatch, "train_tokenizer.py", *arguments, "--resume")
    assert "tokenizer trained, best validation loss" in capfd.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("options", [VQ, LFQ])
def test_a_resumed_tokenizer_is_the_uninterrupted_one(
    conversations, tmp_path, monkeypatch, options
):
    """Bit for bit, dropout on, VQ's codebook included, and across the switch of the phases."""
    options = (*options, "--emotion-phase", 0.4, "--model.dropout", 0.1)

    def config(name: str, *more: object):
        return tokenizer_config(conversations, tmp_path / name, *options, *more)

    best = train_tokenizer(config("whole"))
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            train_tokenizer(config("parts"))
    assert train_tokenizer(config("parts", "--resume")) == best
    whole, parts = newest_state(tmp_path / "whole"), newest_state(tmp_path / "parts")
    assert set(whole) == set(parts)
    for name, value in whole.items():
        np.testing.assert_array_equal(value, parts[name], err_msg=name)
    moving = [value for name, value in whole.items() if "statistics" in name]
    assert len(moving) == (3 if options[1] == "vq" else 0)
    assert all(np.isfinite(value).all() for value in moving)
    assert load_tokenizer(tmp_path / "parts").config.quantize_type == options[1]
    for prefix in ("training", "validation"):
        use = losses(tmp_path / "whole", f"{prefix}/codebook/use")
        perplexity = losses(tmp_path / "whole", f"{prefix}/codebook/perplexity")
        for step, share in use.items():
            assert 1 / 32 <= share <= 1
            assert 1 <= perplexity[step] <= share * 32 + 1e-3


def test_the_predictors_command(conversations, trained, tmp_path, monkeypatch):
    out = tmp_path / "predictor"
    arguments = ("debug", "--data", conversations, "--tokenizer", trained, "--out", out)
    command(monkeypatch, "train_predictor.py", *arguments, "--loop.epochs", 1)
    predictor, encoder = load_predictor(out), load_audio_encoder(out)
    tokenizer = load_tokenizer(trained)
    assert predictor.config.codebook_size == tokenizer.codebook_size == 36
    features = encoder(0.1 * jax.random.normal(jax.random.key(0), (1, 64 * 640)))
    assert features.shape == (1, 127, 512)
    codes = predictor.generate(features, jnp.zeros((1, 64), int), 2, key=jax.random.key(0))
    assert codes.shape == (1, 2, 64)
    assert 0 <= int(codes.min()) <= int(codes.max()) < 36


EVERYWHERE = {
    "learning_rate",
    "norm/gradients",
    "norm/parameters",
    "norm/updates",
    "steps_per_second",
    "frames_per_second",
    "teraflops_per_second",
}


@pytest.mark.slow
def test_what_can_be_watched(conversations, trained, tmp_path):
    """Also of a predictor that is given features of whole clips."""
    often = ("--loop.pictures-every", 1)
    train_tokenizer(tokenizer_config(conversations, tmp_path / "tokenizer", *often))
    arguments = ("debug", "--data", conversations, "--tokenizer", trained, *often)
    arguments = (*arguments, "--audio", "clip", "--out", tmp_path / "predictor")
    train_predictor(parse(PREDICTOR_PRESETS, [str(argument) for argument in arguments]))
    own = {
        "tokenizer": {"emotion_loss", "quantizer_loss", "codebook/use", "face/smile"},
        "predictor": {"accuracy", "new_patch_loss"},
    }
    for stage, tags in own.items():
        events = EventAccumulator(str(tmp_path / stage / "tensorboard")).Reload()
        scalars = set(events.Tags()["scalars"])
        assert {f"training/{tag}" for tag in EVERYWHERE | tags | {"loss"}} <= scalars
        assert {f"validation/{tag}" for tag in tags | {"loss"}} <= scalars
        for picture in ("pictures/traces", "pictures/heads"):
            shown = events.Images(picture)
            assert [event.step for event in shown] == [2, 4]
            assert shown[0].encoded_image_string != shown[1].encoded_image_string
        report = (tmp_path / stage / "training_report.html").read_text()
        assert report.count("data:image/png") >= 2


def test_a_cache_trains_as_its_root_does(conversations, trained, tmp_path):
    """Bit for bit, as far as the sound is not resampled otherwise: the tokenizer hears none."""
    prepare(PrepareConfig(conversations, tmp_path / "cache", workers=1))
    train_tokenizer(tokenizer_config(tmp_path / "cache", tmp_path / "run"))
    assert losses(tmp_path / "run") == losses(trained)
    assert losses(tmp_path / "run", "validation/loss") == losses(trained, "validation/loss")
    with pytest.raises(UserError, match=r"--resume: data was '.*' and is now '.*'; repeat"):
        train_tokenizer(tokenizer_config(conversations, tmp_path / "run", "--resume"))


def test_other_options_are_refused_before_anything_is_read(trained, tmp_path):
    nowhere = tmp_path / "nowhere"
    with pytest.raises(UserError, match=r"training\.seed was 0 and is now 3"):
        train_tokenizer(tokenizer_config(nowhere, trained, "--resume", "--loop.seed", 3))
    with pytest.raises(UserError, match="nowhere"):
        train_tokenizer(tokenizer_config(nowhere, trained, "--resume"))


@pytest.mark.slow
def test_a_resumed_predictor_is_the_uninterrupted_one(
    conversations, trained, tmp_path, monkeypatch
):
    def arguments(name: str):
        return ("debug", "--data", conversations, "--tokenizer", trained, "--out", tmp_path / name)

    command(monkeypatch, "train_predictor.py", *arguments("whole"))
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(SystemExit) as stopped:
            command(patch, "train_predictor.py", *arguments("parts"))
    assert stopped.value.code == 130
    command(monkeypatch, "train_predictor.py", *arguments("parts"), "--resume")
    whole, parts = newest_state(tmp_path / "whole"), newest_state(tmp_path / "parts")
    for name, value in whole.items():
        np.testing.assert_array_equal(value, parts[name], err_msg=name)


@pytest.mark.slow
def test_worker_processes_resume_where_they_were(conversations, tmp_path, monkeypatch):
    """And give the same batches as none: the state of their iterator is of another kind."""

    def config(name: str, *more: object):
        return tokenizer_config(conversations, tmp_path / name, "--loop.epochs", 3, *more)

    train_tokenizer(config("none"))
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            train_tokenizer(config("two", "--loop.workers", 2))
    with pytest.raises(UserError, match=r"training\.workers was 2 and is now 0"):
        train_tokenizer(config("two", "--resume"))
    train_tokenizer(config("two", "--loop.workers", 2, "--resume"))
    none, two = newest_state(tmp_path / "none"), newest_state(tmp_path / "two")
    for name, value in none.items():
        np.testing.assert_array_equal(value, two[name], err_msg=name)


def test_a_predictor_needs_its_tokenizer_and_its_encoder(conversations, trained, tmp_path):
    def config(*options: object):
        common = ["debug", "--data", conversations, "--out", tmp_path / "run"]
        return parse(PREDICTOR_PRESETS, [str(argument) for argument in [*common, *options]])

    with pytest.raises(UserError, match=r"no config\.json here; give the directory of a trained"):
        train_predictor(config("--tokenizer", tmp_path / "nothing"))
    with pytest.raises(UserError, match=r"no config\.json here"):
        train_predictor(config("--tokenizer", trained, "--wav2vec2", tmp_path / "nothing"))
    with pytest.raises(UserError, match="the tokenizer has 36 codes and the predictor names 20"):
        train_predictor(config("--tokenizer", trained, "--model.vocab-size", 20))
    with pytest.raises(UserError, match="48 is not a multiple of the tokenizer's block of 32"):
        train_predictor(
            config("--tokenizer", trained, "--model.block-size", 48, "--model.patch-size", 16)
        )
    with pytest.raises(UserError, match="--audio-context -1 must be 0 or more"):
        train_predictor(config("--tokenizer", trained, "--audio-context", -1))
    with pytest.raises(UserError, match="--validation-windows 0 1 or more"):
        train_predictor(config("--tokenizer", trained, "--validation-windows", 0))
    with pytest.raises(UserError, match="nothing to resume here"):
        train_predictor(config("--tokenizer", trained, "--resume"))
    assert not (tmp_path / "run").exists()


def test_too_little_data_is_refused_before_anything_is_written(conversations, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(UserError, match="fewer than the batch of 100"):
        train_tokenizer(tokenizer_config(conversations, out, "--loop.batch-size", 100))
    with pytest.raises(UserError, match="frames"):
        train_tokenizer(tokenizer_config(conversations, out, "--clip-frames", 1280))
    with pytest.raises(UserError):
        train_tokenizer(tokenizer_config(tmp_path / "nowhere", out))
    assert not out.exists()


def test_a_run_without_a_checkpoint_cannot_be_loaded(conversations, tmp_path, monkeypatch):
    interrupt(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        train_tokenizer(tokenizer_config(conversations, tmp_path / "run"))
    assert (tmp_path / "run" / "config.json").exists()
    with pytest.raises(UserError, match="no complete checkpoint here"):
        load_tokenizer(tmp_path / "run")


@pytest.mark.parametrize("name", [*TOKENIZER_PRESETS])
def test_tokenizer_presets_hang_together(name):
    config = parse(TOKENIZER_PRESETS, [name, "--data", "x", "--out", "y"])
    assert config.clip_frames % config.model.block_size == 0


@pytest.mark.parametrize("name", [*PREDICTOR_PRESETS])
def test_predictor_presets_fit_the_tokenizers(name):
    tokenizer = parse(TOKENIZER_PRESETS, [name, "--data", "x", "--out", "y"]).model
    model = parse(PREDICTOR_PRESETS, [name, "--data", "x", "--tokenizer", "t", "--out", "y"]).model
    assert tokenizer.codebook_size <= min(model.vocab_size, model.vocab_face_size)
    assert model.block_size % tokenizer.block_size == 0


def test_the_released_recipe():
    tokenizer = parse(TOKENIZER_PRESETS, ["--data", "x", "--out", "y"])
    assert (tokenizer.loop.epochs, tokenizer.loop.batch_size, tokenizer.clip_frames) == (
        200,
        8,
        736,
    )
    predictor = parse(PREDICTOR_PRESETS, ["--data", "x", "--tokenizer", "t", "--out", "y"])
    assert (predictor.loop.epochs, predictor.loop.batch_size) == (1000, 16)
    for loop_config, warmup, start in ((tokenizer.loop, 300, 1e-4), (predictor.loop, 200, 1e-6)):
        optimizer = loop_config.optimizer
        assert (optimizer.learning_rate, optimizer.weight_decay) == (1e-3, 0.1)
        assert (optimizer.warmup_steps, optimizer.warmup_start) == (warmup, start)
        assert optimizer.final_share == 1
    with pytest.raises(
        UserError, match="no preset 'large'; choose one of react2024, improved, demo, debug"
    ):
        parse(TOKENIZER_PRESETS, ["large"])
