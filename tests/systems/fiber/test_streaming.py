"""A stream is the offline run by construction: `advance` step by step gives `generate`'s codes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.config import SPECIAL_TOKENS
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.sampling import Sampling
from tests.weights import golden, predictor

FRAMES, PATCH = 48, 8


@pytest.fixture(scope="module")
def model() -> Predictor:
    """The small predictor: 64 codes named, 16 frames of context, patches of 8."""
    return Predictor(predictor("small", codebook_size=64), {}, "golden")


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, np.ndarray]:
    """Audio features, the zero of the beginning in front, and codes of three speakers."""
    arrays = golden("gen_small")
    features = np.pad(arrays["sound_features"], ((0, 0), (1, 0), (0, 0)))
    return features, arrays["sp_tokens_plus2"] - SPECIAL_TOKENS


def streamed(model, clip, sampling: Sampling, frames: int, samples: int, key=None) -> np.ndarray:
    """Codes from steps of so many frames."""
    features, codes = clip
    state = model.start(len(codes), samples, sampling, key)
    steps = []
    for begin in range(0, FRAMES, frames):
        end = begin + frames
        sound = features[:, 2 * begin : 2 * end]
        heard = np.ones(sound.shape[:2], bool)
        heard[:, 0] = begin > 0  # the zero in front is no sound
        state, new = model.advance(state, sound, heard, codes[:, begin:end], sampling)
        steps.append(np.asarray(new))
    return np.concatenate(steps, axis=2)


@pytest.mark.parametrize("frames", [PATCH, 2 * PATCH])
def test_the_golden_loop_step_by_step(model, clip, frames):
    codes = streamed(model, clip, Sampling(top_k=1), frames, 2)
    expected = golden("gen_small")["generated_indices"]
    np.testing.assert_array_equal(codes[:, 0], expected)
    np.testing.assert_array_equal(codes[:, 1], expected)


@pytest.mark.slow
def test_sampled_streams_are_sampled_clips(model, clip):
    key = jax.random.key(5)
    codes = streamed(model, clip, Sampling(temperature=0.7), PATCH, 3, key)
    whole = model.generate(*clip, 3, temperature=0.7, key=key)
    np.testing.assert_array_equal(codes, whole)
    assert len(np.unique(codes.reshape(-1, FRAMES), axis=0)) == 9


def test_streams_may_stand_at_different_patches(model, clip):
    """Two states joined: one stream begins while the others are in the middle."""
    features, codes = clip
    sampling, keys = Sampling(), jax.random.split(jax.random.key(1), 3)
    everybody = np.ones((3, 2 * PATCH), bool)
    lead = everybody.copy()
    lead[:, 0] = False
    early = model.start(3, 2, sampling, keys)
    early, first = model.advance(early, features[:, : 2 * PATCH], lead, codes[:, :PATCH], sampling)
    late = model.start(3, 2, sampling, keys)
    both = jax.tree.map(lambda a, b: jnp.concatenate([a[:1], b[1:]]), early, late)
    sound = np.concatenate([features[:1, 2 * PATCH : 4 * PATCH], features[1:, : 2 * PATCH]])
    seen = np.concatenate([codes[:1, PATCH : 2 * PATCH], codes[1:, :PATCH]])
    mask = np.concatenate([everybody[:1], lead[1:]])
    _, mixed = model.advance(both, sound, mask, seen, sampling)
    whole = np.asarray(model.generate(features, codes, 2, key=keys))
    np.testing.assert_array_equal(mixed[0], whole[0, :, PATCH : 2 * PATCH])
    np.testing.assert_array_equal(mixed[1:], first[1:])


def test_a_step_is_whole_patches(model, clip):
    state = model.start(3, 1, Sampling(top_k=1))
    for frames in (0, 5):
        with pytest.raises(ValueError, match=f"{frames} frames are not whole patches of 8"):
            model.advance(
                state,
                clip[0][:, : 2 * frames],
                np.ones((3, 2 * frames), bool),
                clip[1][:, :frames],
                Sampling(top_k=1),
            )
