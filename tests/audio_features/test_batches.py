"""Batches in batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import sharding
from jaxreact.audio_features import batches
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig


def test_parts_are_strided_and_joined_again():
    rows = jnp.arange(12.0).reshape(6, 2)
    cut = sharding.cut(rows, 3)
    np.testing.assert_array_equal(cut[1], rows[1::3])
    np.testing.assert_array_equal(sharding.joined(cut), rows)


@pytest.mark.parametrize(("rows", "at_once", "loops"), [(6, 1, True), (6, 4, True), (3, 4, False)])
def test_features_are_those_of_all_waveforms_at_once(monkeypatch, rows, at_once, loops):
    monkeypatch.setitem(batches.CLIPS_AT_ONCE, "cpu", at_once)
    encoder = AudioEncoder(AudioEncoderConfig(conv_dim=(8,) * 7), rngs=nnx.Rngs(0))
    waveforms = jax.random.normal(jax.random.key(0), (rows, 2000))
    expected = encoder(waveforms)
    assert np.abs(expected[0] - expected[1]).max() > 0.1
    np.testing.assert_allclose(
        batches.encode_waveforms(encoder, waveforms), expected, rtol=0, atol=1e-5
    )
    text = str(jax.make_jaxpr(lambda given: batches.encode_waveforms(encoder, given))(waveforms))
    assert ("scan" in text) == loops


class Windows:
    """Mean and place of each 25 ms window every 20 ms: wav2vec2's frames without its weights."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        self.lengths.append(waveform.shape[1])
        windows = np.lib.stride_tricks.sliding_window_view(waveform, 400, axis=1)[:, ::320]
        return np.repeat(windows.mean(-1, keepdims=True), 512, axis=2)


@pytest.mark.parametrize("frames", [32, 65, 96, 129, 160, 192])
def test_long_sound_is_encoded_in_stretches_with_the_same_steps(monkeypatch, frames):
    waveform = np.random.default_rng(0).normal(size=frames * 640).astype("f4")
    whole = batches.audio_features(Windows(), waveform, frames)
    monkeypatch.setattr(batches, "STRETCH", 64)
    encoder = Windows()
    parts = batches.audio_features(encoder, waveform, frames)
    assert whole.shape == parts.shape == (1, 2 * frames - 1, 512)
    # The last stretch is as long as the others; nothing is measured by a moment alone.
    assert encoder.lengths == [min(frames, 64) * 640] + [65 * 640] * ((frames - 1) // 64)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_sound_is_cut_or_continued_by_silence():
    waveform = np.random.default_rng(0).normal(size=32 * 640).astype("f4")
    exact = batches.audio_features(Windows(), waveform, 32)
    longer = batches.audio_features(Windows(), np.append(waveform, np.ones(5000, "f4")), 32)
    shorter = batches.audio_features(Windows(), waveform[:-3200], 32)
    np.testing.assert_array_equal(longer, exact)
    assert shorter.shape == exact.shape
    np.testing.assert_array_equal(shorter[:, :50], exact[:, :50])
    assert not shorter[:, -8:].any()
