"""What the original does to faces before training: its filter and its statistics."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.nn.normalisation import Normalisation
from jaxreact.systems.learning2listen.normalisation import measured_statistics, original_statistics
from jaxreact.systems.learning2listen.smoothing import smoothed
from tests.golden.learning2listen import recipe
from tests.systems.learning2listen.models import golden


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("unit", 1e-6), ("large", 4e-5), ("steps", 1e-5), ("tiny", 1e-9), ("constant", 1e-6)],
)
def test_the_filter(name, tolerance):
    g = golden("data")
    ours = smoothed(g[f"filter.{name}.in"])
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, g[f"filter.{name}.out"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_clips_that_are_shorter_than_the_filter(frames):
    x = np.full((1, frames, 2), 0.7, np.float32)
    np.testing.assert_allclose(smoothed(x), x, rtol=1e-6)


def test_statistics():
    g = golden("data")
    mean, std = original_statistics(g["stats.in"])
    np.testing.assert_allclose(mean, g["stats.mean"][0, 0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(std, g["stats.std"][0, 0], rtol=0, atol=1e-6)


def test_the_whole_preparation():
    """Seven of ten clips, chosen by a permutation, are smoothed, measured and normalised."""
    g = golden("data")
    train, rest = np.split(g["load.permutation"], [7])
    clips = {
        name: smoothed(recipe.smooth(f"load.{name}", (10, 64, 184), k=9)[..., :56])
        for name in ("speaker", "listener")
    }
    clips["audio"] = recipe.smooth("load.audio", (10, 256, 128), k=5)
    known = {}
    for name, theirs in (("speaker", "X"), ("listener", "Y"), ("audio", "audio")):
        mean, std = known[name] = original_statistics(clips[name][train])
        np.testing.assert_allclose(mean, g[f"load.body_mean_{theirs}"][0, 0], rtol=0, atol=2e-6)
        np.testing.assert_allclose(std, g[f"load.body_std_{theirs}"][0, 0], rtol=0, atol=2e-6)
    expected = {
        "load.train_listener_first2": ("listener", train[:2]),
        "load.test_speaker_first1": ("speaker", rest[:1]),
        "load.train_audio_first1_t8": ("audio", train[:1]),
    }
    for key, (name, rows) in expected.items():
        mean, std = known[name]
        ours = (clips[name][rows] - mean) / std
        ours = ours[:, ::32] if name == "audio" else ours
        np.testing.assert_allclose(ours, g[key], rtol=0, atol=5e-4, err_msg=key)


def test_our_own_statistics_are_plain_and_have_a_floor():
    clips = recipe.smooth("stats", (5, 40, 3), k=9)
    clips[..., 2] = 0.25  # never moves
    recordings = [clips[:3].reshape(120, 3), clips[3:].reshape(80, 3)]
    rest = np.full((39, 3), 9.0, np.float32)  # less than a clip
    mean, std = measured_statistics([*recordings, rest], 40, "corrected")
    flat = clips.reshape(-1, 3)
    np.testing.assert_allclose(mean, flat.mean(0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(std, [*flat.std(0)[:2], 1e-3], rtol=1e-5)
    same, theirs = measured_statistics(recordings, 40, "original")
    np.testing.assert_allclose(same, mean, rtol=0, atol=1e-6)
    np.testing.assert_allclose(theirs, original_statistics(clips)[1], rtol=1e-4)
    assert theirs[0] < 0.6 * std[0]


def test_normalisation_goes_there_and_back():
    known = Normalisation(2)
    x = jnp.array([[1.0, 2.0], [3.0, -4.0]])
    np.testing.assert_array_equal(known(x), x)
    known.mean[...], known.std[...] = jnp.array([1.0, 2.0]), jnp.array([2.0, 0.5])
    np.testing.assert_allclose(known(x), [[0.0, 0.0], [1.0, -12.0]])
    np.testing.assert_allclose(known.inverse(known(x)), x)
