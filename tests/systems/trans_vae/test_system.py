"""Trans-VAE as a system: film and sound in, raw faces out, and its stream."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import jaxreact
from jaxreact import OnlineSystem, Speaker, System, runs
from jaxreact.audio_features.mfcc import mfcc_features
from jaxreact.errors import UserError
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.system import load_codebook
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.system import OnlineTransVAESystem, TransVAESystem
from jaxreact.variables import variables_of
from tests.systems.trans_vae.models import SMALL, golden_model

MEAN = np.linspace(0.1, 0.9, 58).astype(np.float32)
FRAMES = 11
WINDOW = 4


def run_of(directory: Path, **changes: Any) -> Path:
    """The run directory of a small model that sees 32 pixels and hears 16 kHz."""
    changes = {"mode": "corrected", "image_size": 32, "audio_rate": 16000, **changes}
    model = golden_model(**changes)
    variables = variables_of(model)
    runs.save_model(directory, TRANS_VAE, model.config, variables, mean_face=MEAN.tolist())
    return directory


@pytest.fixture(scope="module")
def offline(tmp_path_factory) -> TransVAESystem:
    system = jaxreact.load(run_of(tmp_path_factory.mktemp("trans_vae") / "offline"))
    assert isinstance(system, TransVAESystem)
    return system


@pytest.fixture(scope="module")
def online(tmp_path_factory) -> OnlineTransVAESystem:
    path = tmp_path_factory.mktemp("trans_vae") / "online"
    system = jaxreact.load(run_of(path, online=True, window=WINDOW))
    assert isinstance(system, OnlineTransVAESystem)
    return system


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Two speakers."""
    rng = np.random.default_rng(0)
    video = rng.integers(0, 256, (2, FRAMES, 32, 32, 3), np.uint8)
    waveform = rng.uniform(-0.5, 0.5, (2, FRAMES * 640)).astype("f4")
    return Speaker(video=video, waveform=waveform)


def test_what_it_is(offline, online):
    for system in (offline, online):
        assert (system.name, system.needs) == ("trans-vae", {"audio", "video"})
        assert (system.frame_multiple, system.codebook) == (1, None)
        with pytest.raises(UserError, match="has no codes"):
            load_codebook(system.model.directory)
    assert online.step == WINDOW
    assert offline.fingerprint() != online.fingerprint()
    assert isinstance(offline, System)
    assert not isinstance(offline, OnlineSystem)
    assert isinstance(online, OnlineSystem)


def test_raw_faces_come_out(offline, speaker):
    noise = np.random.default_rng(1).normal(size=(2, 3, SMALL)).astype("f4")
    reactions = offline.react(speaker, noise=noise)
    audio = np.stack([mfcc_features(row, 16000, FRAMES) for row in speaker.waveform])
    face = offline.model.react(speaker.video, audio, noise[:, :, None]).face
    np.testing.assert_allclose(reactions.coeffs, face.coeffs + MEAN, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(reactions.emotion, face.emotion)
    assert reactions.coeffs.shape == (2, 3, FRAMES, 58)
    shifted = offline.calibrate(np.asarray(reactions.coeffs)[0, 0] + 5)
    np.testing.assert_allclose(shifted.mean(0), MEAN, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["offline", pytest.param("online", marks=pytest.mark.slow)])
def test_a_speakers_reactions_are_of_its_own_key(kind, request, speaker):
    """Whoever else is in the batch, and one key is as good as one for each."""
    system = request.getfixturevalue(kind)
    keys = jax.random.split(jax.random.key(3), 2)
    both = system.react(speaker, 2, key=keys)
    same = system.react(speaker, 2, key=jax.random.key(3))
    np.testing.assert_array_equal(both.coeffs, same.coeffs)
    second = Speaker(video=speaker.video[1:], waveform=speaker.waveform[1:])
    alone = system.react(second, 2, key=keys[1:])
    np.testing.assert_allclose(alone.coeffs[0], both.coeffs[1], rtol=0, atol=2e-5)
    assert np.abs(both.emotion[:, 0] - both.emotion[:, 1]).max() > 1e-3


@pytest.mark.parametrize("drawn", ["key", "noise"])
def test_a_stream_is_the_clip(online, speaker, drawn):
    """Over a doubling of its room; the clip's last window is not whole."""
    noise = np.random.default_rng(1).normal(size=(2, 2, 3, SMALL)).astype("f4")
    how = {"key": jax.random.key(5)} if drawn == "key" else {"noise": noise}
    whole = online.react(speaker, 2, causal=True, **how)
    state = online.start(2, 2, **how)
    for begin in range(0, 8, WINDOW):
        end = begin + WINDOW
        sound = speaker.waveform[:, begin * 640 : end * 640]
        state, part = online.advance(
            state, Speaker(video=speaker.video[:, begin:end], waveform=sound)
        )
        for ours, expected in ((part.coeffs, whole.coeffs), (part.emotion, whole.emotion)):
            np.testing.assert_allclose(ours, expected[:, :, begin:end], rtol=0, atol=2e-5)
    assert whole.coeffs.shape == (2, 2, FRAMES, 58)


@pytest.mark.wrong_arguments
def test_what_does_not_fit_is_said(offline, online, speaker):
    key = jax.random.key(0)
    for given in ({}, {"key": key, "noise": np.zeros((2, 1, SMALL))}):
        with pytest.raises(ValueError, match="either key= or noise="):
            offline.react(speaker, 1, **given)
    for shape in ((1, 1, SMALL), (2, 1, SMALL + 1)):
        with pytest.raises(ValueError, match="noise for"):
            offline.react(speaker, noise=np.zeros(shape))
    with pytest.raises(ValueError, match="1 windows and 16 features; 2, 3 and 16 needed"):
        online.react(speaker, noise=np.zeros((2, 1, 1, SMALL)))
    with pytest.raises(ValueError, match="trans-vae needs the speaker's video"):
        offline.react(Speaker(waveform=speaker.waveform), key=key)
    with pytest.raises(ValueError, match="3 keys for 2 speakers"):
        offline.react(speaker, key=jax.random.split(key, 3))
    empty = Speaker(video=speaker.video[:, :0], waveform=speaker.waveform)
    with pytest.raises(ValueError, match="no frames"):
        offline.react(empty, key=key)
    with pytest.raises(ValueError, match="a step is 4 frames and 2560 samples"):
        online.advance(online.start(2, key=key), speaker)


def test_on_all_devices_and_in_half_precision(offline, speaker):
    noise = np.random.default_rng(1).normal(size=(2, 1, SMALL)).astype("f4")
    expected = offline.react(speaker, noise=noise)
    placed = offline.placed(make_device_mesh()).react(speaker, noise=noise)
    np.testing.assert_allclose(placed.coeffs, expected.coeffs, rtol=0, atol=1e-5)
    half = offline.in_precision("bfloat16").react(speaker, noise=noise)
    assert half.coeffs.dtype == np.float32
    assert 0 < np.abs(half.coeffs - expected.coeffs).max() < 0.3


def test_a_model_without_a_mean_face_says_how_to_get_one(tmp_path, speaker):
    model = golden_model(image_size=32, audio_rate=16000)
    runs.save_model(tmp_path / "run", TRANS_VAE, model.config, variables_of(model))
    system = jaxreact.load(tmp_path / "run")
    with pytest.raises(UserError, match="convert it again with --mean-face"):
        system.react(speaker, 1, key=jax.random.key(0))
