"""What the predictor is given of a batch, beside the parts computed one by one."""

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.systems.fiber.train_predictor import inputs

MODEL = PredictorConfig(block_size=64, patch_size=32)
# Of features of deviation 1: the encoder takes the clips one by one, and sums in another order.
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def tokenizer():
    config = FaceTokenizerConfig(n_embd=16, n_head=2, n_layer=1, input_init_std=1.0)
    return FaceTokenizer(config, rngs=nnx.Rngs(0))


@pytest.fixture(scope="module")
def encoder():
    return AudioEncoder(AudioEncoderConfig(conv_dim=(8, 8, 8, 8, 8, 8, 512)), rngs=nnx.Rngs(0))


def batch(context: int) -> dict:
    draw, frames = np.random.default_rng(0), 96
    return {
        "speaker_coeffs": jnp.asarray(draw.normal(0, 1, (2, frames, 58)), jnp.float32),
        "listener_coeffs": jnp.asarray(draw.normal(0, 1, (2, frames, 58)), jnp.float32),
        "speaker_waveform": jnp.asarray(draw.normal(0, 1, (2, (context + 64) * 640)), jnp.float32),
    }


def test_a_window_without_context(tokenizer, encoder):
    given = batch(0)
    features, speaker, listener, targets = inputs(given, tokenizer, encoder, MODEL)
    assert features.shape == (2, 128, 512)
    assert not features[:, 0].any()
    expected = encoder(given["speaker_waveform"])
    np.testing.assert_allclose(features[:, 1:], expected, rtol=0, atol=ROUNDING)
    codes = tokenizer.encode(given["listener_coeffs"]) + 2
    assert len(np.unique(codes)) > 3  # else equality says little
    np.testing.assert_array_equal(listener, codes[:, :64])
    np.testing.assert_array_equal(targets, codes[:, 32:])
    np.testing.assert_array_equal(speaker, tokenizer.encode(given["speaker_coeffs"][:, :64]) + 2)


def test_context_is_heard_and_not_seen(tokenizer, encoder):
    given = batch(32)
    features, *tokens = inputs(given, tokenizer, encoder, MODEL, context=32)
    # Sound of 96 frames gives 191 features; the window's 128 are the last.
    expected = encoder(given["speaker_waveform"])[:, -128:]
    np.testing.assert_allclose(features, expected, rtol=0, atol=ROUNDING)
    window = given | {"speaker_waveform": given["speaker_waveform"][:, 32 * 640 :]}
    alone, *expected = inputs(window, tokenizer, encoder, MODEL)
    for ours, theirs in zip(tokens, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # The norms have heard something else: this is what the context is for.
    assert np.abs(features[:, 1:] - alone[:, 1:]).max() > 1e-3
