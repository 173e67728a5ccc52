"""The baselines' audio features against torchaudio's, as the original computes them."""

import numpy as np
import pytest

from jaxreact.audio_features.mfcc import mfcc_features
from tests.golden.trans_vae import recipe
from tests.weights import golden


@pytest.mark.parametrize("name", ["44k1", "16k", "44k1_short"])
def test_features_are_the_originals(name):
    rate, samples, frames = map(int, golden("trans_vae/mfcc")[f"{name}.rate_samples_frames"])
    sound = recipe.sound(name, samples, rate)
    if name == "44k1":  # stereo
        sound = (sound + recipe.sound("44k1.right", samples, rate)) / 2
    ours = mfcc_features(sound, rate, frames)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(
        ours, golden("trans_vae/mfcc")[f"{name}.features"], rtol=0, atol=5e-4
    )


def test_silence_is_finite_and_the_originals():
    expected = golden("trans_vae/mfcc")["silent.features"]
    ours = mfcc_features(np.zeros(100), 44100, len(expected))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=5e-4)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_each_frame_is_heard_alone_at_any_rate(rate):
    """Whatever sounds before or after; a clip's beginning is that of a longer one."""
    sound = np.random.default_rng(0).uniform(-1, 1, rate)
    features = mfcc_features(sound, rate, 25)
    assert features.shape == (25, 78)
    size = rate // 25
    alone = mfcc_features(sound[7 * size : 8 * size], rate, 1)
    np.testing.assert_array_equal(alone[0], features[7])
    np.testing.assert_array_equal(mfcc_features(sound, rate, 30)[:25], features)


def test_a_rate_at_which_windows_do_not_fit_is_refused():
    with pytest.raises(ValueError, match="resample"):
        mfcc_features(np.zeros(100), 100, 1)
