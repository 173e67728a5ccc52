"""BeLFusion as a system: the original's reactions, any length, streams, options and refusals."""

import json
import shutil
import warnings
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxreact
from jaxreact import OnlineSystem, Speaker, System
from jaxreact.errors import Remark, UserError
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig
from jaxreact.systems.belfusion.loaded import EmotionCoder, ReactionSampler
from jaxreact.systems.belfusion.system import Belfusion, OnlineBelfusion, binarized
from jaxreact.systems.system import load_codebook
from tests.golden.belfusion import recipe
from tests.systems.belfusion.conftest import MEAN
from tests.systems.belfusion.weights import SMALL_DENOISER, SMALL_VAE, denoiser, golden, vae

EMOTION = recipe.emotion("a speaker", 2, 17)
KEY = jax.random.key(3)


@cache
def system(
    mode: str,
    sizes: DenoiserConfig = SMALL_DENOISER,
    coder: EmotionVAEConfig = SMALL_VAE,
    statistics: str = "vae_small",
) -> Belfusion:
    """The system of the golden weights, whose mean face is `MEAN`."""
    online = mode == "online"
    content = {"mean_face": MEAN.tolist()}
    parts = (
        EmotionCoder(vae(coder, statistics), content, "vae"),
        ReactionSampler(denoiser(sizes, online=online), {}, "run"),
    )
    return OnlineBelfusion(*parts) if online else Belfusion(*parts)


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_reactions_are_the_originals(mode):
    given = golden(f"{mode}_small")
    speaker, noise = Speaker(emotion=given["speaker"]), given["noise"].reshape(3, 4, 4, 12)
    made = system(mode).react(speaker, 4, noise=noise)
    emotion, coeffs = (given[name].reshape(3, 4, 20, -1) for name in ("prediction", "coeffs"))
    np.testing.assert_allclose(made.emotion, emotion, rtol=0, atol=1e-5)
    assert made.coeffs is not None
    np.testing.assert_allclose(made.coeffs, coeffs + MEAN, rtol=0, atol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Remark)
        rounded = system(mode).react(speaker, 4, noise=noise, binarize=True).emotion
    expected = given["binarised"].reshape(3, 4, 20, -1)
    np.testing.assert_array_equal(rounded[..., :15], expected[..., :15])
    np.testing.assert_allclose(rounded, expected, rtol=0, atol=1e-5)
    _latents(mode, given)


def _latents(mode: str, given: dict[str, np.ndarray]) -> None:
    """What reactions are decoded from, and what the listener's own emotion is."""
    parts = system(mode)
    seen, listener = (jnp.asarray(given[role]) for role in ("speaker", "listener"))
    windows = parts._seen(seen).reshape(3, 4, 5, 25)
    condition = parts.vae.encode(windows, "normalize")
    noise = jnp.asarray(given["noise"]).reshape(3, 4, 4, 12)
    latents = parts.denoiser.sample(condition, noise)
    assert latents.shape[1] == given["samples"]
    ours = latents.reshape(12, 48)
    np.testing.assert_allclose(ours, given["encoded_prediction"], rtol=0, atol=1e-5)
    target = parts.vae.encode(listener.reshape(3, 4, 5, 25), "normalize")
    every = np.repeat(np.asarray(target).reshape(3, 48), 4, axis=0)
    np.testing.assert_allclose(every, given["encoded_target"], rtol=0, atol=1e-5)
    decoded = parts.vae.decode(target[:, None], "normalize")[1]
    every = np.repeat(np.asarray(decoded)[:, 0], 4, axis=0)
    np.testing.assert_allclose(every, given["target"], rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["offline", "online"])
def test_reactions_of_the_released_size(mode):
    parts = system(mode, DenoiserConfig(), EmotionVAEConfig(), "vae_released")
    emotion = recipe.emotion("released.speaker", 1, 750)
    noise = recipe.normal(f"released.samples.{mode}", (150, 128)).reshape(1, 10, 15, 128)
    made = parts.react(Speaker(emotion=emotion), 10, noise=noise)
    given = golden(f"released_{mode}")
    np.testing.assert_allclose(made.emotion[0, 0], given["prediction_0"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        made.emotion[0, :, ::5], given["prediction_every5"], rtol=0, atol=1e-4
    )
    assert made.coeffs is not None
    np.testing.assert_allclose(
        made.coeffs[0, 0, ::5] - MEAN, given["coeffs_0_every5"], rtol=0, atol=1e-4
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Remark)
        rounded = binarized(made.emotion)[0, :, ::5, :15]
    differ = rounded != given["binarised_units_every5"]
    units = made.emotion[0, :, ::5, :15]
    to_border = np.abs(units - np.floor(units) - 0.5)
    assert to_border[differ].max(initial=0) < 1e-4  # so close that either is right
    assert differ.mean() < 1e-4
    windows = parts._seen(jnp.asarray(emotion)).reshape(1, 15, 50, 25)
    latents = parts.denoiser.sample(parts.vae.encode(windows, "normalize"), jnp.asarray(noise))
    ours = latents[0].reshape(10, 1920)
    np.testing.assert_allclose(ours, given["encoded_prediction"], rtol=0, atol=5e-5)


def test_both_are_systems_and_one_is_online(belfusion_run):
    offline, online = (jaxreact.load(belfusion_run(mode)) for mode in ("offline", "online"))
    for loaded in (offline, online):
        assert isinstance(loaded, System)
        assert (loaded.name, loaded.needs, loaded.frame_multiple) == ("belfusion", {"emotion"}, 1)
        assert set(loaded.fingerprint()) == {"vae", "denoiser"}
    assert isinstance(online, OnlineSystem)
    assert not isinstance(offline, OnlineSystem)
    assert offline.fingerprint() != online.fingerprint()
    with pytest.raises(UserError, match="this system has no codes"):
        load_codebook(belfusion_run("online"))


@pytest.mark.parametrize("mode", ["offline", "online"])
@pytest.mark.parametrize("frames", [1, 17])
def test_any_number_of_frames(mode, frames):
    made = system(mode).react(Speaker(emotion=EMOTION[:, :frames]), 3, key=KEY)
    assert made.emotion.shape == (2, 3, frames, 25)
    assert made.coeffs is not None
    assert made.coeffs.shape == (2, 3, frames, 58)
    longer = np.concatenate(
        [EMOTION[:, :frames], np.repeat(EMOTION[:, frames - 1 : frames], 9, 1)], 1
    )
    whole = system(mode).react(Speaker(emotion=longer), 3, key=KEY)
    np.testing.assert_allclose(whole.emotion[:, :, :frames], made.emotion, rtol=0, atol=1e-5)


def test_no_frames_are_refused():
    with pytest.raises(ValueError, match="no frames"):
        system("offline").react(Speaker(emotion=EMOTION[:, :0]), key=KEY)


def test_samples_depend_on_their_own_key_and_place_alone():
    offline = system("offline")
    keys = jax.random.split(KEY, 2)
    both = offline.react(Speaker(emotion=EMOTION), 3, key=keys).emotion
    alone = offline.react(Speaker(emotion=EMOTION[1:]), 2, key=keys[1:]).emotion
    np.testing.assert_allclose(alone[0], both[1, :2], rtol=0, atol=1e-5)
    spread = jnp.std(both, axis=1).mean()
    assert spread > 0.01
    windows = both[:, :, :15].reshape(2, 3, 3, 5, 25)
    assert jnp.abs(windows[:, :, 0] - windows[:, :, 1]).max() > 0.01


def test_online_reactions_do_not_see_their_own_window():
    online = system("online")
    other = EMOTION.copy()
    other[:, 10:] = 0
    before, after = (online.react(Speaker(emotion=x), 2, key=KEY).emotion for x in (EMOTION, other))
    np.testing.assert_array_equal(before[:, :, :15], after[:, :, :15])
    assert jnp.abs(before[:, :, 15:] - after[:, :, 15:]).max() > 1e-3
    offline = system("offline")
    before, after = (
        offline.react(Speaker(emotion=x), 2, key=KEY).emotion for x in (EMOTION, other)
    )
    np.testing.assert_array_equal(before[:, :, :10], after[:, :, :10])
    assert jnp.abs(before[:, :, 10:15] - after[:, :, 10:15]).max() > 1e-3


def test_a_step_is_a_window():
    online = system("online")
    assert isinstance(online, OnlineSystem)
    assert (online.step, online.lead) == (5, 5)
    with pytest.raises(ValueError, match="4 frames; a step is 5 frames"):
        online.advance(online.start(2, 3, key=KEY), Speaker(emotion=EMOTION[:, :4]))


def test_action_units_are_rounded_half_to_even_and_not_clipped():
    emotion = np.full((1, 25), 0.4, np.float32)
    emotion[0, :6] = 0.5, 1.5, -0.7, 0.51, 0.49, 1.2
    with pytest.warns(Remark, match="2 of 15 are neither 0 nor 1"):
        rounded = binarized(jnp.asarray(emotion))
    np.testing.assert_array_equal(rounded[0, :6], [0, 2, -1, 1, 0, 1])
    np.testing.assert_array_equal(rounded[0, 15:], emotion[0, 15:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        binarized(jnp.zeros((2, 25)))


def test_what_reactions_are_made_of_is_asked_for():
    offline, speaker = system("offline"), Speaker(emotion=EMOTION[:, :5])
    noise = np.zeros((2, 3, 1, 12), np.float32)
    with pytest.raises(ValueError, match="a key= is needed, or noise="):
        offline.react(speaker)
    with pytest.raises(ValueError, match="not both"):
        offline.react(speaker, 3, key=KEY, noise=noise)
    with pytest.raises(ValueError, match=r"expected \(2, 10, 1, 12\): batch, samples, windows"):
        offline.react(speaker, 10, noise=noise)
    with pytest.raises(ValueError, match="belfusion needs the speaker's emotion"):
        offline.react(Speaker(coeffs=np.zeros((1, 5, 58), np.float32)), key=KEY)


def test_precisions_and_devices():
    offline, speaker = system("offline"), Speaker(emotion=EMOTION)
    made = offline.react(speaker, 2, key=KEY).emotion
    coarse = offline.in_precision("bfloat16").react(speaker, 2, key=KEY).emotion
    assert coarse.dtype == jnp.float32
    assert 0 < jnp.abs(coarse - made).mean() < 0.05
    placed = offline.placed(make_device_mesh()).react(speaker, 2, key=KEY).emotion
    np.testing.assert_allclose(placed, made, rtol=0, atol=1e-5)


def test_calibration_moves_faces_to_the_mean_face():
    coeffs = np.random.default_rng(0).random((9, 58)).astype(np.float32)
    moved = system("offline").calibrate(coeffs)
    np.testing.assert_allclose(moved.mean(0), MEAN, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.diff(moved, axis=0), np.diff(coeffs, axis=0), rtol=0, atol=1e-6)


def test_without_a_mean_face_reactions_are_emotion_alone(belfusion_run, tmp_path):
    shutil.copytree(belfusion_run("online"), tmp_path / "run")
    config = tmp_path / "run" / "vae" / "config.json"
    content = json.loads(config.read_text())
    del content["mean_face"]
    config.write_text(json.dumps(content))
    with pytest.warns(Remark, match="does not know the mean face"):
        loaded = jaxreact.load(tmp_path / "run")
    made = loaded.react(Speaker(emotion=EMOTION), 2, key=KEY)
    assert made.coeffs is None
    assert made.emotion.shape == (2, 2, 17, 25)


def test_a_run_without_its_own_vae_is_refused(belfusion_run, tmp_path):
    run = belfusion_run("offline")
    with pytest.raises(UserError, match="a VAE alone does not react"):
        jaxreact.load(run / "vae")
    shutil.copytree(run, tmp_path / "run")
    config = tmp_path / "run" / "config.json"
    content = json.loads(config.read_text())
    content["parts"]["vae"] = "0" * 16
    config.write_text(json.dumps(content))
    with pytest.raises(UserError, match="was trained with another VAE"):
        jaxreact.load(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "vae")
    with pytest.raises(UserError, match=r"no config\.json here"):
        jaxreact.load(tmp_path / "run")
