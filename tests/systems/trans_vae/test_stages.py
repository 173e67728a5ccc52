"""Each stage of the network against what the original computes there, from the same input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.nn.positions import positions
from jaxreact.systems.trans_vae.decoder import Past
from jaxreact.systems.trans_vae.video_encoder import moments, normed, scaled
from tests.golden.trans_vae import recipe
from tests.systems.trans_vae.models import golden_model
from tests.weights import golden

FEATURES = 16


def close(ours, expected, atol: float = 1e-5) -> None:
    np.testing.assert_allclose(ours, expected, rtol=0, atol=atol)


def pictures(x: np.ndarray) -> np.ndarray:
    """torch's (batch, channels, time, height, width) in our order."""
    return x.transpose(0, 2, 3, 4, 1)


def test_convolutions_and_norms():
    stage = golden("trans_vae/tvae_small_conv")
    encoder = golden_model().speaker_behaviour_encoder.video_encoder
    video = jnp.asarray(recipe.video("conv", 1, 5, 32))
    x = encoder.conv1(scaled(video))
    close(x, pictures(stage["conv1"]))
    seen = encoder.see(video)
    first = normed(seen.pooled, seen.moments, seen.size, None)
    close(first, pictures(stage["maxpool"]))
    x = first
    for number in (2, 3, 4, 5):
        if number == 5:
            x = jnp.asarray(pictures(np.maximum(stage["in3"], 0) + np.maximum(stage["in4"], 0)))
        x = getattr(encoder, f"conv{number}")(x)
        close(x, pictures(stage[f"conv{number}"]))
        size = x.shape[2] * x.shape[3]
        x = normed(x, moments(x), size, None)
        close(x, pictures(np.maximum(stage[f"in{number}"], 0)))
    close(x.mean((2, 3)), stage["pooled"].swapaxes(1, 2))
    close(encoder(seen), stage["video_tokens"])


def test_offline_stages():
    stage = golden("trans_vae/tvae_small_offline")
    model = golden_model()
    speaker, decoder = model.speaker_behaviour_encoder, model.reaction_decoder
    perceived = speaker.perceive(
        jnp.asarray(recipe.video("offline", 2, 20, 32)),
        jnp.asarray(recipe.audio("offline", 2, 20)),
    )
    close(perceived.audio, stage["audio_tokens"])
    close(speaker.video_encoder(perceived.seen), stage["video_tokens"])
    tokens = speaker(perceived)
    close(tokens, stage["speaker_tokens"])
    close(decoder.vae_model.linear(tokens), stage["vae.embedded"])
    latent = decoder.vae_model(tokens)
    close(latent.mean, stage["vae.encoded"][0])
    close(latent.deviation, np.exp(0.5 * stage["vae.encoded"][1]))
    drawn = latent.at(jnp.asarray(stage["noise"][0]))
    close(drawn, stage["latent"])
    place = jnp.broadcast_to(positions(20, FEATURES), (2, 20, FEATURES))
    x = decoder.listener_reaction_decoder_1(place, place, drawn[:, None])
    close(x, stage["decoder1"])
    x = decoder.listener_reaction_decoder_2(x, x, x)
    close(x, stage["decoder2"])


@pytest.mark.parametrize("window", [0, 1, 2])
def test_online_stages(window):
    """With room for frames that are not there yet, whose tokens are never looked at."""
    stage = golden("trans_vae/tvae_small_online")
    model = golden_model(online=True)
    speaker, decoder = model.speaker_behaviour_encoder, model.reaction_decoder
    video, audio = recipe.video("online", 2, 27, 32), recipe.audio("online", 2, 27)
    begin, end = 8 * window, 8 * (window + 1)
    given = jnp.arange(27) < end
    perceived = speaker.perceive(jnp.asarray(video), jnp.asarray(audio))
    close(perceived.audio[:, :end], stage[f"audio_tokens.{window}"])
    close(speaker.video_encoder(perceived.seen, given)[:, :end], stage[f"video_tokens.{window}"])
    tokens = speaker(perceived, given)
    close(tokens[:, :end], stage[f"speaker_tokens.{window}"])
    before = (np.arange(27) < begin)[:, None]
    coeffs, emotion = (jnp.asarray(stage[part] * before) for part in ("coeffs", "emotion"))
    fused = model.fusion(jnp.concatenate([tokens, coeffs, emotion], axis=-1))
    close(fused[:, :end], stage[f"fused_tokens.{window}"])
    latent = decoder.vae_model(fused, jnp.broadcast_to(given, (2, 27)))
    close(latent.mean, stage["mean"][window])
    close(latent.deviation, stage["deviation"][window])
    close(latent.at(jnp.asarray(stage["noise"][window])), stage[f"latent.{window}"])
    _decoded(decoder, stage, window, coeffs)


def _decoded(decoder, stage, window: int, coeffs: jax.Array) -> None:
    """The decoder's stages of a window, from the original's latent on."""
    begin = 8 * window
    place = jnp.broadcast_to(positions(8, FEATURES), (2, 8, FEATURES))
    memory = jnp.asarray(stage[f"latent.{window}"])[:, None]
    x = decoder.listener_reaction_decoder_1(place, place, memory)
    close(x, stage[f"decoder1.{window}"])
    x = decoder.listener_reaction_decoder_2(x, x, x)
    close(x, stage[f"decoder2.{window}"])
    if window:
        past, now = decoder.linear_3d(coeffs[:, :begin]), decoder.linear_reaction(x)
        close(past, stage[f"past_embedded.{window}"])
        close(now, stage[f"current_embedded.{window}"])
        both = jnp.concatenate([past, now], axis=1)
        close(
            decoder.listener_reaction_decoder_3d(now, both, both),
            stage[f"decoder3.{window}"][:, begin:],
        )
        going_on = decoder.lstm(jnp.asarray(stage[f"decoder3.{window}"][:, begin:]), past[:, -1])
        close(going_on, stage[f"lstm.{window}"])
    is_past = jnp.arange(27) < begin
    face = decoder(memory[:, 0], 8, Past(coeffs, is_past))
    close(face.coeffs, stage["coeffs"][:, begin : begin + 8])
    close(face.emotion, stage["emotion"][:, begin : begin + 8])


def test_the_mask_is_causal_and_no_more():
    """The original's biases by distance are all zero (behaviour B10): a position attends alike to
    all until itself, and what it gets does not depend on the others."""
    tables = golden("trans_vae/tvae_tables")
    assert tables["mask_all_causal_zero"]
    attention = golden_model().reaction_decoder.listener_reaction_decoder_1.self_attn
    x = jnp.asarray(np.random.default_rng(0).normal(size=(1, 16, FEATURES)).astype("f4"))
    seen = jax.jacobian(lambda x: attention(x, x, causal=True))(x)[0, :, :, 0]  # (q, f, k, f)
    depends = np.abs(np.asarray(seen)).max((1, 3)) > 0
    np.testing.assert_array_equal(depends, np.isfinite(tables["mask16"][0]))


def test_statistics_keep_their_digits():
    """A channel far from zero, as after pictures of one bright colour."""
    rng = np.random.default_rng(0)
    x = rng.normal(1000.0, 0.1, size=(1, 50, 8, 8, 1))
    ours = normed(jnp.asarray(x, jnp.float32), moments(jnp.asarray(x, jnp.float32)), 64, None)
    held = np.float32(x).astype(np.float64)
    expected = np.maximum((held - held.mean()) / np.sqrt(held.var() + 1e-5), 0)
    close(ours, expected, 2e-3)
