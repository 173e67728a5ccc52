"""Features of sound in pieces: those of the encoder, normalised by the last seconds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.audio_features.sliding import lead, listen, missing, silence
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig

SMALL = (4,) * 6 + (16,)
RNG = np.random.default_rng(0)


def encoder(**options) -> AudioEncoder:
    model = AudioEncoder(AudioEncoderConfig(conv_dim=SMALL, **options), rngs=nnx.Rngs(1))
    for layer in model.feature_extractor.conv_layers:  # so that what they do is seen
        for norm in (layer.layer_norm, layer.conv):
            if norm is not None and norm.bias is not None:
                norm.bias[...] = jnp.asarray(RNG.normal(size=norm.bias.shape) / 3, jnp.float32)
    return model


def sound(frames: int, streams: int = 2) -> np.ndarray:
    """Louder and louder, with a constant."""
    louder = np.exp(np.arange(frames * 640) / 640 / frames)
    return (0.3 + louder * RNG.normal(size=(streams, frames * 640)) / 9).astype(np.float32)


def heard(model: AudioEncoder, waveform: np.ndarray, step: int, window: int) -> np.ndarray:
    """Features from steps of so many frames, without those of before the beginning."""
    state, made = silence(model.config, len(waveform), window), []
    advance = jax.jit(lambda state, piece: listen(model, state, piece))
    for begin in range(0, waveform.shape[1], step * 640):
        state, features = advance(state, waveform[:, begin : begin + step * 640])
        made.append(features)
    whole, first = np.concatenate(made, axis=1), missing(model.config)
    assert not whole[:, :first].any()
    return whole[:, first:]


def test_of_no_norm_over_time_they_are_those_of_the_whole():
    model = encoder(feat_extract_norm="layer", conv_bias=True, do_normalize=False)
    waveform = sound(12)
    whole = model(jnp.asarray(waveform))
    np.testing.assert_allclose(heard(model, waveform, 3, 2), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"conv_bias": True},
        {"do_normalize": False},
        {"feat_extract_norm": "layer", "conv_bias": True},
    ],
)
def test_each_step_is_normalised_by_the_window_that_it_ends(options):
    """As the encoder would, were it given the window alone; but for the border of the window, at
    which it leaves one place out of hundreds."""
    model, waveform, step, window = encoder(**options), sound(24), 4, 3
    made = heard(model, waveform, step, window)
    for end in range(step, 25, step):
        begin = max(end - step * window, 0)
        alone = model(jnp.asarray(waveform[:, begin * 640 : end * 640]))
        count = 2 * step - (end == step)
        np.testing.assert_allclose(
            made[:, 2 * end - 1 - count : 2 * end - 1], alone[:, -count:], rtol=0, atol=0.05
        )
    steady = heard(model, waveform, 12, 2)  # other windows give other features
    assert np.abs(steady[:, -9:] - made[:, -9:]).max() > 0.1


def test_how_loud_all_is_does_not_matter():
    model, waveform = encoder(), sound(12)
    one, other = (heard(model, factor * waveform, 4, 3) for factor in (1.0, 4.0))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-3)


def test_streams_may_stand_at_different_steps():
    """One begins while the other is in its middle: rows of two states."""
    model, waveform = encoder(), sound(12)
    expected = heard(model, waveform, 4, 3)
    first, _ = listen(model, silence(model.config, 2, 3), jnp.asarray(waveform[:, :2560]))
    both = jax.tree.map(lambda a, b: jnp.stack([a[0], b[1]]), first, silence(model.config, 2, 3))
    piece = np.stack([waveform[0, 2560:5120], waveform[1, :2560]])
    _, features = listen(model, both, jnp.asarray(piece))
    np.testing.assert_allclose(features[0], expected[0, 7:15], rtol=0, atol=1e-5)
    np.testing.assert_allclose(features[1, 1:], expected[1, :7], rtol=0, atol=1e-5)


def test_silence_gives_numbers():
    made = heard(encoder(), np.zeros((1, 5120), np.float32), 4, 3)
    assert np.isfinite(made).all()


def test_what_a_step_needs_of_the_sound_before_it():
    assert (missing(AudioEncoderConfig()), lead(AudioEncoderConfig())) == (1, 320)


def test_features_that_do_not_fall_into_frames():
    strange = AudioEncoderConfig(conv_dim=(4, 4), conv_kernel=(10, 3), conv_stride=(5, 3))
    with pytest.raises(ValueError, match="features every 15 samples do not fall into frames"):
        silence(strange, 1, 1)
