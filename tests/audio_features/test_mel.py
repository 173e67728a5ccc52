"""Power in mel bands is librosa's, and hears nothing before its time."""

import numpy as np
import pytest

from jaxreact.audio_features.mel import (
    BEFORE,
    HOP,
    mel_bands,
    mel_features,
    stretched_mel_features,
)
from tests.golden.learning2listen import recipe
from tests.weights import golden

SOUND = (0.2 * recipe.smooth("mel.sound", (8000, 1), k=5)[:, 0]).astype(np.float32)


@pytest.mark.parametrize("form", ["causal", "centred", "stretched"])
def test_librosas_numbers(form):
    """Of librosa 0.11, every third step; the last resized by Pillow."""
    ours = {
        "causal": lambda: mel_features(SOUND, 50),
        "centred": lambda: mel_bands(np.pad(SOUND, 200)),
        "stretched": lambda: stretched_mel_features(SOUND, 60),
    }[form]()
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours[::3], golden("learning2listen/mel")[form], rtol=3e-5, atol=1e-6)


def test_short_sound_goes_on_silent_and_long_sound_is_cut():
    whole = mel_features(SOUND, 50)
    np.testing.assert_array_equal(mel_features(SOUND, 20), whole[:20])
    longer = mel_features(SOUND, 60)
    np.testing.assert_array_equal(longer[:50], whole)
    assert not longer[52:].any()
    both = mel_features(np.stack([SOUND, 2 * SOUND]), 50)
    np.testing.assert_allclose(both[1], 4 * whole, rtol=1e-5)


def test_steps_depend_on_nothing_later_and_continue_across_cuts():
    changed = SOUND.copy()
    changed[20 * HOP :] = 0
    np.testing.assert_array_equal(mel_features(changed, 50)[:20], mel_features(SOUND, 50)[:20])
    later = mel_bands(SOUND[20 * HOP - BEFORE : 30 * HOP])
    np.testing.assert_array_equal(later, mel_features(SOUND, 50)[20:30])
