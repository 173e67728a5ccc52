"""The whole network against the original's numbers, and what its variants have in common."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.nn.positions import positions
from jaxreact.runs import new_model
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.model import TransVAE, windows_of
from tests.golden.trans_vae import recipe
from tests.systems.trans_vae.models import SMALL, golden_model, latent_noise
from tests.weights import golden

ONLINE = {"online": True}
GOLDENS = {
    "tvae_small_offline": ("offline", 2, 20, {}),
    "tvae_small_online": ("online", 2, 27, ONLINE),
    "tvae_small_online_window4": ("online4", 1, 14, {"online": True, "window": 4}),
}


def compiled(model: TransVAE):
    """The model as one program for each length."""
    graph, state = nnx.split(model)
    call = jax.jit(lambda state, *given: nnx.merge(graph, state)(*given))
    return lambda *given: call(state, *map(jnp.asarray, given))


def run(model: TransVAE, video, audio, noise):
    return compiled(model)(video, audio, noise)


def inputs(tag: str, batch: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    return recipe.video(tag, batch, frames, 32), recipe.audio(tag, batch, frames)


@pytest.mark.parametrize(
    "name",
    [*list(GOLDENS)[:2], pytest.param("tvae_small_online_window4", marks=pytest.mark.slow)],
)
def test_reactions_are_the_originals(name):
    tag, batch, frames, changes = GOLDENS[name]
    model = golden_model(**changes)
    noise = latent_noise(tag, batch, windows_of(model.config, frames))
    expected = golden(f"trans_vae/{name}")
    np.testing.assert_array_equal(noise[:, 0].swapaxes(0, 1), expected["noise"])
    face, latent = run(model, *inputs(tag, batch, frames), noise)
    for part in ("coeffs", "emotion"):
        ours = getattr(face, part)[:, 0]
        np.testing.assert_allclose(ours, expected[part], rtol=0, atol=1e-5)
    for part in ("mean", "deviation"):
        ours = getattr(latent, part)[:, 0].swapaxes(0, 1)
        np.testing.assert_allclose(ours, expected[part], rtol=0, atol=1e-5)


RELEASED = {
    "released_offline": ("released.offline", 32, 224, {}),
    "released_online_window8": ("released.online8", 32, 224, {"online": True, "window": 8}),
    "released_online_window16": ("released.online16", 32, 224, {"online": True, "window": 16}),
}
LONG = {
    "long_offline": ("long.offline", 750, 32, {}),
    "long_window16": ("long16", 751, 32, {"online": True, "window": 16}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*RELEASED, *LONG])
def test_a_model_of_the_released_size_is_the_originals(name):
    """128 features: 224 pixels, and whole clips of small pictures, whose goldens keep every tenth
    frame and every fifth window's latent."""
    tag, frames, side, changes = (RELEASED | LONG)[name]
    expected = golden(f"trans_vae/tvae_{name}")
    frame, window = (10, 5) if name in LONG else (1, 1)
    model = golden_model(features=128, **changes)
    noise = latent_noise(tag, 1, windows_of(model.config, frames), 128)
    video, audio = recipe.video(tag, 1, frames, side), recipe.audio(tag, 1, frames)
    face, latent = run(model, video, audio, noise)
    for part in ("coeffs", "emotion"):
        ours = getattr(face, part)[:, 0, ::frame]
        np.testing.assert_allclose(ours, expected[part], rtol=0, atol=1e-4, err_msg=part)
    for part in {"mean", "deviation"} & set(expected):
        ours = getattr(latent, part)[:, 0].swapaxes(0, 1)[::window]
        np.testing.assert_allclose(ours, expected[part], rtol=0, atol=1e-4, err_msg=part)


@pytest.mark.parametrize(
    "online", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["offline", "online"]
)
def test_samples_are_computed_as_if_each_were_alone(online):
    """And clips too; bytes are what the loader makes numbers in [-1, 1] of."""
    model = golden_model(online=online)
    video, audio = inputs("x", 2, 16)
    noise = np.random.default_rng(0).normal(size=(2, 3, 2 if online else 1, SMALL)).astype("f4")
    together = run(model, video, audio, noise).face
    numbers = (video[1:] / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    alone = run(model, numbers, audio[1:], noise[1:, 2:]).face
    for ours, expected in zip(alone, together, strict=True):
        np.testing.assert_allclose(ours[0, 0], expected[1, 2], rtol=0, atol=1e-5)
    assert np.abs(together.coeffs[:, 0] - together.coeffs[:, 1]).max() > 0.01


@pytest.mark.slow
def test_the_end_after_the_last_window_is_answered_unless_as_the_original():
    """As if the last frame stood still; whole windows are the same either way (behaviour B3)."""
    video, audio = inputs("online", 1, 13)
    noise = latent_noise("online", 1, 2)
    original = run(golden_model(**ONLINE), video, audio, noise[:, :, :1]).face
    assert not np.any(original.coeffs[:, :, 8:])
    assert not np.any(original.emotion[:, :, 8:])
    model = golden_model(online=True, mode="corrected")
    ours = run(model, video, audio, noise).face
    video, audio = (np.concatenate([x, x[:, -1:].repeat(3, 1)], axis=1) for x in (video, audio))
    whole = run(model, video, audio, noise).face
    for part, zero_ended, complete in zip(ours, original, whole, strict=True):
        np.testing.assert_allclose(part[:, :, :8], zero_ended[:, :, :8], rtol=0, atol=1e-5)
        np.testing.assert_allclose(part, complete[:, :, :13], rtol=0, atol=1e-5)
        assert np.all(np.abs(np.asarray(part[:, :, 8:])).max(-1) > 0)


@pytest.mark.parametrize(("mode", "windows"), [("original", 0), ("corrected", 1)])
def test_a_clip_shorter_than_a_window(mode, windows):
    model = golden_model(online=True, mode=mode)
    assert windows_of(model.config, 5) == windows
    face, latent = run(model, *inputs("x", 1, 5), latent_noise("x", 1, 1)[:, :, :windows])
    assert face.coeffs.shape == (1, 1, 5, 58)
    assert latent.mean.shape == (1, 1, windows, SMALL)
    assert bool(np.any(face.coeffs)) == (mode == "corrected")


def test_a_window_sees_nothing_of_what_comes_after_it():
    """Behaviour B10: speaker frame 15 moves nothing before frame 8."""
    react = compiled(golden_model(**ONLINE))
    video, audio = inputs("x", 1, 16)
    noise = latent_noise("x", 1, 2)
    changed = video.copy()
    changed[:, 15] = 255 - changed[:, 15]
    before, after = (react(x, audio, noise).face.coeffs for x in (video, changed))
    np.testing.assert_array_equal(before[:, :, :8], after[:, :, :8])
    assert np.all(np.abs(before - after)[:, :, 8:].max(-1) > 1e-4)


def test_the_latent_is_blind_to_the_order_of_frames():
    """Behaviour B7."""
    react, noise = compiled(golden_model()), latent_noise("x", 1, 1)
    video, audio = inputs("x", 1, 12)
    order = np.random.default_rng(0).permutation(12)
    there = react(video, audio, noise).latent
    mixed = react(video[:, order], audio[:, order], noise).latent
    np.testing.assert_allclose(mixed.mean, there.mean, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_dropout_changes_reactions_by_its_seed():
    model = golden_model(**ONLINE)
    video, audio = (jnp.asarray(x) for x in inputs("x", 1, 16))
    noise = jnp.asarray(latent_noise("x", 1, 2))
    train = jax.jit(lambda seed: model(video, audio, noise, seed).face.coeffs)
    first, again, other = (train(jnp.array([s, 7], jnp.uint32)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_positions_are_the_originals():
    expected = golden("trans_vae/tvae_tables")["positions"]
    np.testing.assert_allclose(positions(48, 16), expected, rtol=0, atol=1e-6)


def test_an_untrained_model_begins_as_torchs():
    """Uniform by the number of inputs, attention Xavier-uniform; two decoders equal (B20)."""
    config = TransVAEConfig(features=32, online=True)
    model = new_model(TRANS_VAE, config, 0)
    decoder = model.reaction_decoder
    for layer, bound in (
        (model.fusion.kernel, (32 + 58 + 25) ** -0.5),
        (model.fusion.bias, (32 + 58 + 25) ** -0.5),
        (model.speaker_behaviour_encoder.video_encoder.conv1.kernel, (3 * 49) ** -0.5),
        (decoder.listener_reaction_decoder_1.self_attn.in_proj.kernel, (6 / (4 * 32)) ** 0.5),
        (decoder.lstm.hidden.bias, 32**-0.5),
    ):
        largest = np.abs(layer[...]).max()
        assert 0.9 * bound < largest <= bound
    assert not np.any(decoder.listener_reaction_decoder_1.self_attn.out_proj.bias[...])
    first, second = (
        getattr(decoder, f"listener_reaction_decoder_{i}").feed_forward.ff_1 for i in (1, 2)
    )
    np.testing.assert_array_equal(first.kernel[...], second.kernel[...])
    assert first.kernel is not second.kernel


@pytest.mark.wrong_arguments
@pytest.mark.parametrize(
    "wrong",
    [
        *({"features": 18}, {"heads": 3}, {"heads": 0}, {"window": 0}, {"window": 5001}),
        *({"mode": "new"}, {"image_size": 0}, {"image_size": 6}),
    ],
)
def test_configurations_that_describe_no_model(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        dataclasses.replace(TransVAEConfig(), **wrong)
