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
