"""FIBER as a system: raw in and out, its parts by fingerprint, and its stream."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxreact
from jaxreact import Speaker, runs
from jaxreact.audio_features.batches import audio_features
from jaxreact.errors import UserError
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.system import Fiber
from jaxreact.variables import variables_of
from tests.systems.conftest import MEAN

FRAMES = 96


@pytest.fixture(scope="module")
def fiber(fiber_run: Path) -> Fiber:
    system = jaxreact.load(fiber_run)
    assert isinstance(system, Fiber)
    return system


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Two speakers, raw."""
    rng = np.random.default_rng(0)
    coeffs = MEAN + rng.normal(size=(2, FRAMES, 58)) / 9
    return Speaker(coeffs.astype("f4"), rng.normal(size=(2, FRAMES * 640)).astype("f4"))


def test_raw_in_and_raw_out(fiber, speaker):
    """The way through the parts, on which the mean face is taken off and put on again."""
    key = jax.random.key(3)
    reactions = fiber.react(speaker, 2, key=key, temperature=0.8, top_k=9)
    features = audio_features(fiber.audio_encoder, speaker.waveform, FRAMES)
    codes = fiber.predictor.generate(
        features, fiber.tokenizer.encode(speaker.coeffs - MEAN), 2, 0.8, 9, key=key
    )
    coeffs, emotion = fiber.tokenizer.decode(codes.reshape(4, FRAMES))
    np.testing.assert_array_equal(reactions.coeffs, (coeffs + MEAN).reshape(2, 2, FRAMES, 58))
    np.testing.assert_array_equal(reactions.emotion, emotion.reshape(2, 2, FRAMES, 25))


def test_placed_on_devices_it_answers_the_same(fiber, speaker):
    placed = fiber.placed(make_device_mesh())
    keys = jax.random.split(jax.random.key(0), 2)
    here, there = (system.react(speaker, 1, key=keys).coeffs for system in (fiber, placed))
    np.testing.assert_array_equal(here, there)
    assert placed.fingerprint() == fiber.fingerprint()


@pytest.mark.parametrize("frames", [0, 31])
def test_clips_are_whole_blocks(fiber, frames):
    given = Speaker(np.zeros((1, frames, 58), "f4"), np.zeros((1, 640), "f4"))
    with pytest.raises(ValueError, match=f"{frames} frames are not whole blocks of 8"):
        fiber.react(given, 1, top_k=1)


def test_a_step_is_as_long_as_it_says(fiber, speaker):
    with pytest.raises(ValueError, match="96 frames and 61440 samples; a step is 8 frames"):
        fiber.advance(fiber.start(2, top_k=1), speaker)


def without_parts(fiber_run: Path, tmp_path: Path) -> Path:
    """The run as older versions wrote it: with its encoder alone, and no fingerprints."""
    old = tmp_path / "old"
    shutil.copytree(fiber_run, old)
    shutil.rmtree(old / "tokenizer")
    content = json.loads((old / "config.json").read_text())
    del content["parts"]
    content["tokenizer"] = "runs/my/tokenizer"
    content["model"]["patch_causal"] = content["model"].pop("block_causal")
    (old / "config.json").write_text(json.dumps(content))
    return old


@pytest.mark.slow
def test_a_run_of_before_names_what_it_lacks(fiber_run, fiber, speaker, tmp_path, capsys):
    old = without_parts(fiber_run, tmp_path)
    words = r"give the tokenizer's directory too, by --tokenizer \(it was trained with runs/my/tok"
    with pytest.raises(UserError, match=words):
        jaxreact.load(old)
    system = jaxreact.load(old, tokenizer=fiber_run / "tokenizer")
    assert "does not say which tokenizer it was trained with" in capsys.readouterr().err
    again, first = (x.react(speaker, 1, top_k=1).coeffs for x in (system, fiber))
    np.testing.assert_array_equal(again, first)


def test_another_tokenizer_is_refused(fiber_run, frozen_parts, tmp_path, capsys):
    """With as many codes, so that nothing else would tell."""
    other = jax.tree.map(np.copy, variables_of(frozen_parts.tokenizer))
    other["lm_head_3dmm"]["kernel"] = other["lm_head_3dmm"]["kernel"] * 2
    config = frozen_parts.tokenizer.config
    runs.save_model(tmp_path / "other", TOKENIZER, config, other, mean_face=MEAN.tolist())
    with pytest.raises(UserError, match=r"trained with another tokenizer than .*other"):
        jaxreact.load(fiber_run, tokenizer=tmp_path / "other")
    jaxreact.load(fiber_run, tokenizer=fiber_run / "tokenizer")
    assert capsys.readouterr().err == ""


def test_a_part_that_was_exchanged_is_noticed(fiber_run, tmp_path):
    """Also inside the run, and also the encoder."""
    run = tmp_path / "run"
    shutil.copytree(fiber_run, run)
    content = json.loads((run / "config.json").read_text())
    content["parts"]["audio_encoder"] = "0" * 16
    (run / "config.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="trained with another audio_encoder"):
        jaxreact.load(run)
