"""Learning2Listen as a system: raw faces in and out, clips of any length, and a stream."""

import json
import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxreact
from jaxreact import OnlineSystem, Speaker, System
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation.config import Evaluation
from jaxreact.evaluation.evaluated_system import evaluated_system
from jaxreact.react.command import open_system
from jaxreact.react.config import Config
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.learning2listen.loaded import _normalised
from jaxreact.systems.learning2listen.smoothing import smoothed
from jaxreact.systems.learning2listen.system import Learning2Listen, OnlineLearning2Listen, _whole
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import load_codebook
from tests.golden.learning2listen import recipe
from tests.systems.learning2listen.conftest import DEVIATION, MEAN

FRAMES, SAMPLES = 19, 3
KEY = jax.random.key(5)


@pytest.fixture(scope="module")
def online(react_run) -> OnlineLearning2Listen:
    system = jaxreact.load(react_run)
    assert isinstance(system, OnlineLearning2Listen)
    return system


@pytest.fixture(scope="module")
def deca(deca_run) -> Learning2Listen:
    with pytest.warns(Remark, match="DECA's 56 channels, so that it cannot be scored on REACT"):
        system = jaxreact.load(deca_run)
    assert isinstance(system, Learning2Listen)
    return system


def faces(frames: int, rows: int = 2) -> np.ndarray:
    """Raw coefficients."""
    return MEAN[:58] + DEVIATION * recipe.smooth("system.faces", (rows, frames, 58))


def seen(frames: int = FRAMES) -> np.ndarray:
    """The first frames of two speakers."""
    return faces(40)[:, :frames]


def heard(frames: int = FRAMES) -> np.ndarray:
    """Their sound."""
    return 0.1 * recipe.smooth("system.sound", (2, 40 * 640, 1), k=5)[:, : frames * 640, 0]


def speaker(frames: int = FRAMES) -> Speaker:
    return Speaker(seen(frames), heard(frames))


@pytest.fixture(scope="module")
def whole(online) -> Any:
    return online.react(speaker(), SAMPLES, key=KEY)


def test_what_they_are(online, deca, react_run):
    for system in (online, deca):
        assert isinstance(system, System)
        assert (system.name, system.frame_multiple) == ("learning2listen", 1)
        assert set(system.fingerprint()) == {"vqvae", "predictor"}
    assert isinstance(online, OnlineSystem)
    assert not isinstance(deca, OnlineSystem)
    assert (online.needs, online.step) == ({"coeffs", "audio"}, 8)
    assert {"top_k", "temperature", "top_p", "vocabulary"} < online.options
    assert online.fingerprint() != deca.fingerprint()
    with pytest.raises(UserError, match="this system has no codes"):
        load_codebook(react_run)


def test_a_stream_gives_what_the_whole_clip_gives(online, whole):
    assert whole.coeffs.shape == (2, SAMPLES, FRAMES, 58)
    assert whole.emotion.shape == (2, SAMPLES, FRAMES, 25)
    state = online.start(2, SAMPLES, key=KEY)
    for begin in (0, 8):
        sound = heard()[:, begin * 640 : (begin + 8) * 640]
        state, made = online.advance(state, Speaker(seen()[:, begin : begin + 8], sound))
        for ours, expected in ((made.coeffs, whole.coeffs), (made.emotion, whole.emotion)):
            np.testing.assert_allclose(
                ours, expected[:, :, begin : begin + 8], rtol=0, atol=2e-5, err_msg=f"{begin}"
            )
    codes = state.heard.listener.past  # whose motion is measured by the model's own numbers too
    pair = nnx.merge(online.model._graph, online.model._state)
    motion = MEAN + DEVIATION * pair.coder.decode(codes[:, 0])[:, -8:]
    np.testing.assert_allclose(made.coeffs[:, 0], motion[..., :58], rtol=0, atol=2e-5)
    np.testing.assert_allclose(made.emotion[:, 0], motion[..., 58:], rtol=0, atol=2e-5)
    with pytest.raises(ValueError, match="19 frames and 12160 samples; a step is 8 frames and"):
        online.advance(state, speaker())


def test_a_speakers_reactions_are_of_its_own_key(online, whole):
    """Whoever else is in the batch, and one key is as good as one for each."""
    keys = jax.vmap(jax.random.fold_in, (None, 0))(KEY, jnp.arange(2))
    other = Speaker(seen()[[1, 1]], heard()[[1, 1]])
    made = online.react(other, SAMPLES, key=keys)
    np.testing.assert_allclose(made.coeffs[1], whole.coeffs[1], rtol=0, atol=2e-5)
    assert np.abs(made.coeffs[0] - whole.coeffs[0]).max() > 0.1
    spread = np.abs(whole.coeffs[:, 0] - whole.coeffs[:, 1])
    assert spread.max() > 0.1


def test_a_clip_goes_on_where_it_ends(online, whole):
    """Its last patch is as if the last frame stood still in silence."""
    longer = np.concatenate([seen(), np.repeat(seen()[:, -1:], 5, 1)], axis=1)
    made = online.react(Speaker(longer, heard()), SAMPLES, key=KEY)
    np.testing.assert_allclose(made.coeffs[:, :, :FRAMES], whole.coeffs, rtol=0, atol=2e-5)
    assert [_whole(time, False) for time in (1, 8, 9)] == [8, 8, 16]
    assert [_whole(time, True) for time in (1, 64, 65)] == [64, 64, 96]
    with pytest.raises(ValueError, match="no frames to react to"):
        online.react(speaker(0), key=KEY)


def test_inputs_are_measured_by_the_models_own_numbers(online):
    pair = nnx.clone(nnx.merge(online.model._graph, online.model._state))
    known = pair.listener.statistics.audio
    known.mean[...], known.std[...] = jnp.full(128, 3.0), jnp.full(128, 2.0)
    bands = jnp.ones((2, 4 * FRAMES, 128))
    motion, audio = _normalised(pair, jnp.asarray(seen()), bands, before=32)
    assert motion.shape == (2, 32 + FRAMES, 58)
    assert not motion[:, :32].any()  # the mean face
    expected = recipe.smooth("system.faces", (2, 40, 58))[:, :FRAMES]
    np.testing.assert_allclose(motion[:, 32:], expected, rtol=0, atol=2e-5)
    assert (audio[:, :128] == -1.5).all()  # silence
    assert (audio[:, 128:] == -1.0).all()


def test_options_of_drawing(online, monkeypatch):
    given: list[Any] = []

    def answer(motion: Any, audio: Any, sampling: Sampling, keys: Any, samples: int) -> jax.Array:
        given.append((sampling, keys))
        return jnp.zeros((2, samples, 24, 83))

    monkeypatch.setattr(online.model, "answer", answer)
    online.react(speaker(), SAMPLES, key=KEY, temperature=2.0, top_k=7, top_p=0.3)
    online.react(speaker(), SAMPLES, top_k=1)
    online.react(speaker(), SAMPLES, key=KEY)
    own = online.model._own
    assert [own(sampling) for sampling, _ in given] == [
        Sampling(2.0, 7, top_p=0.3),
        Sampling(0.7, 1, top_p=0.9),
        Sampling(0.7, 512, top_p=0.9),
    ]
    assert [None if keys is None else keys.shape for _, keys in given] == [(2, 3), None, (2, 3)]
    with pytest.raises(ValueError, match="a key= is needed unless top_k=1"):
        online.react(speaker())


@pytest.mark.slow
def test_precisions_devices_and_the_most_likely_codes(online, whole):
    placed = online.placed(make_device_mesh()).react(speaker(), SAMPLES, key=KEY)
    np.testing.assert_allclose(placed.coeffs, whole.coeffs, rtol=0, atol=2e-5)
    likely = online.react(speaker(), SAMPLES, top_k=1)
    assert np.ptp(np.asarray(likely.coeffs), axis=1).max() == 0
    narrow = online.react(speaker(), SAMPLES, key=KEY, temperature=2.0, top_p=1e-6)
    np.testing.assert_allclose(narrow.coeffs, likely.coeffs, rtol=0, atol=2e-5)
    coarse = online.in_precision("bfloat16").react(speaker(), SAMPLES, top_k=1)
    assert coarse.coeffs.dtype == jnp.float32
    assert np.isfinite(coarse.coeffs).all()


def test_calibration_moves_faces_to_the_speakers_mean(online):
    moved = online.calibrate(faces(9)[0])
    np.testing.assert_allclose(moved.mean(0), MEAN[:58], rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.diff(moved, axis=0), np.diff(faces(9)[0], axis=0), atol=1e-6)


@pytest.mark.slow
def test_decas_faces_of_any_length(deca):
    motion = recipe.smooth("deca.faces", (2, 70, 56))
    audio = recipe.smooth("deca.audio", (2, 280, 128), k=5)
    made = deca.answer(motion, audio, 1, top_k=1)
    assert made.shape == (2, 1, 70, 56)
    still = np.asarray(made[:, :, :32])
    assert np.ptp(still, axis=2).max() == 0  # the mean face (L13)
    assert np.ptp(np.asarray(made[:, :, 32:]), axis=2).max() > 0.1
    longer = np.pad(smoothed(motion), ((0, 0), (0, 26), (0, 0)), mode="edge")
    silent = np.pad(audio, ((0, 0), (0, 4 * 26), (0, 0)))
    expected = deca.model.answer(longer, silent, Sampling(top_k=1), None, 1)
    np.testing.assert_allclose(made, expected[:, :, :70], rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match=r"this model takes \(batch, time, 56\) and \(batch, 4"):
        deca.answer(motion, audio[:, :-1], 1, top_k=1)


@pytest.mark.filterwarnings("ignore:.*DECA")
def test_decas_faces_are_no_speakers_of_react(deca, deca_run, tmp_path):
    with pytest.raises(ValueError, match="learning2listen needs the speaker's DECA features"):
        deca.react(speaker(), key=KEY)
    config = Evaluation(tmp_path / "data", tmp_path / "out", run=deca_run)
    with pytest.raises(UserError, match="needs the speaker's DECA features, which this data"):
        evaluated_system(config)
    with pytest.raises(UserError, match="needs the speaker's DECA features, which no video"):
        open_system(Config(Path("x.mp4"), tmp_path / "out", run=deca_run))


def test_runs_that_are_not_whole(react_run, tmp_path):
    with pytest.raises(UserError, match="a VQ-VAE alone does not react"):
        jaxreact.load(react_run / "vqvae")
    shutil.copytree(react_run, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "parts": {"vqvae": "0" * 16}}))
    with pytest.raises(UserError, match="was trained with another VQ-VAE"):
        jaxreact.load(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "vqvae")
    with pytest.raises(UserError, match=r"no config\.json here"):
        jaxreact.load(tmp_path / "run")
