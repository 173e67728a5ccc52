"""Film and sound as the model takes them."""

import numpy as np
import pytest
from PIL import Image

from jaxreact.audio_features.mfcc import mfcc_features
from jaxreact.media.sound import resample
from jaxreact.systems.trans_vae.senses import heard, squares


def film(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


def test_the_data_sets_pictures_are_only_cut():
    """256 x 256 pixels: rows and columns 16 to 239."""
    video = film(1, 2, 256, 256)
    np.testing.assert_array_equal(squares(video, 224), video[:, :, 16:240, 16:240])


def test_pictures_of_the_squares_size_are_cut_already():
    video = film(1, 1, 224, 224)
    assert squares(video, 224) is video


@pytest.mark.parametrize(("height", "width"), [(512, 600), (300, 256), (90, 120)])
def test_other_pictures_are_resized_by_their_shorter_side(height, width):
    video = film(2, 1, height, width)
    ours = squares(video, 224)
    assert ours.shape == (2, 1, 224, 224, 3)
    scale = 256 / min(height, width)
    size = (round(width * scale // 1), round(height * scale // 1))
    picture = np.asarray(Image.fromarray(video[1, 0]).resize(size, Image.Resampling.BILINEAR))
    top, left = (round((side - 224) / 2) for side in picture.shape[:2])
    np.testing.assert_array_equal(ours[1, 0], picture[top : top + 224, left : left + 224])


@pytest.mark.parametrize("rate", [16000, 44100])
def test_sound_is_heard_at_the_models_rate(rate):
    """In stretches as a stream hears it, and silence where it ends early."""
    sound = np.random.default_rng(0).uniform(-1, 1, (2, 6 * 640 - 100)).astype("f4")
    whole = np.pad(sound, ((0, 0), (0, 100)))
    ours = heard(sound, 6, rate)
    expected = mfcc_features(resample(whole[1], 16000, rate), rate, 6)
    np.testing.assert_array_equal(ours[1], expected)
    parts = heard(sound, 6, rate, stretch=4)
    np.testing.assert_array_equal(parts[:, :4], heard(whole[:, : 4 * 640], 4, rate))
    np.testing.assert_array_equal(parts[:, 4:], heard(whole[:, 4 * 640 :], 2, rate))
