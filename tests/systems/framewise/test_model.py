"""The network: causal, bounded in what it remembers, and told where a stream begins."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.framewise.config import FramewiseConfig
from jaxreact.systems.framewise.losses import LossWeights, framewise_loss
from jaxreact.systems.framewise.model import Expected
from tests.systems.framewise.models import PAST, small_model

RNG = np.random.default_rng(0)
COEFFS = RNG.normal(size=(2, 40, 58)).astype(np.float32)
SOUND = RNG.normal(size=(2, 40, 32)).astype(np.float32)


def emotion_of(coeffs: np.ndarray, sound: np.ndarray, present: np.ndarray | None = None):
    there = None if present is None else jnp.asarray(present)
    expected = small_model()(jnp.asarray(coeffs), jnp.asarray(sound), there)
    return np.concatenate([expected.emotion, expected.coeffs], axis=-1)


@pytest.mark.parametrize("changed", ["coeffs", "sound"])
def test_a_frame_depends_on_itself_and_so_much_past(changed):
    assert small_model().config.past == PAST
    given = {"coeffs": COEFFS, "sound": SOUND}
    there = emotion_of(**given)
    moved = given[changed].copy()
    moved[:, 20] += 1.0
    difference = np.abs(emotion_of(**{**given, changed: moved}) - there).max(axis=(0, 2))
    assert not difference[:20].any()
    assert (difference[20 : 20 + PAST + 1] > 0).all()
    assert not difference[20 + PAST + 1 :].any()


def test_frames_before_a_beginning_are_as_if_there_were_none():
    present = np.broadcast_to(np.arange(40) >= 10, (2, 40))
    whole = emotion_of(COEFFS, SOUND, present)[:, 10:]
    np.testing.assert_allclose(whole, emotion_of(COEFFS[:, 10:], SOUND[:, 10:]), atol=1e-6)


def test_the_expected_emotion_is_within_its_ranges():
    emotion = emotion_of(10 * COEFFS, SOUND)[..., :25]
    assert emotion[..., :15].min() > 0
    assert emotion[..., :15].max() < 1
    np.testing.assert_allclose(emotion[..., 17:].sum(axis=-1), 1.0, atol=1e-5)


def test_dropout_is_by_the_seed():
    model = small_model(dropout=0.5)
    given = (jnp.asarray(COEFFS), jnp.asarray(SOUND), None)
    one, again, other = (
        model(*given, jnp.array([seed, 3], jnp.uint32)).coeffs for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


def test_the_loss_by_hand():
    """Of one frame, whose parts can be told in one's head."""
    target = np.zeros((1, 1, 25), np.float32)
    target[..., 0], target[..., 17] = 1.0, 1.0
    expected = Expected(
        units=jnp.zeros((1, 1, 15)),
        affect=jnp.full((1, 1, 2), 0.5),
        expressions=jnp.full((1, 1, 8), jnp.log(1 / 8)),
        coeffs=jnp.zeros((1, 1, 58)).at[..., 52].set(2.0),
        unrest=jnp.full((1, 1, 58), 0.5),
    )
    std = jnp.ones(58).at[52].set(0.5)
    weights = LossWeights(units=1, affect=2, expressions=3, face=4, rotation=5, unrest=6)
    coeffs = jnp.zeros((1, 1, 58))
    total, parts = framewise_loss(expected, jnp.asarray(target), coeffs, std, weights)
    assert float(parts["units"]) == pytest.approx(np.log(2), rel=1e-5)
    assert float(parts["affect"]) == pytest.approx(0.25)
    assert float(parts["expressions"]) == pytest.approx(np.log(8), rel=1e-5)
    assert float(parts["face"]) == pytest.approx(16 * 5 / 58, rel=1e-5)
    unrest = (57 * np.log(0.5)) / 58  # of one frame nothing is quick
    assert float(parts["unrest"]) == pytest.approx(unrest, rel=1e-5)
    by_hand = np.log(2) + 2 * 0.25 + 3 * np.log(8) + 4 * 16 * 5 / 58 + 6 * unrest
    assert float(total) == pytest.approx(by_hand, rel=1e-5)


def test_an_expectation_has_the_least_loss_at_the_mean():
    """Of two listeners, one with a unit and one without, half a unit is to be expected."""
    target = jnp.zeros((2, 1, 25)).at[0, 0, 0].set(1.0).at[:, :, 17].set(1.0)

    def loss(logit: jax.Array) -> jax.Array:
        units = jnp.full((2, 1, 15), -30.0).at[..., 0].set(logit)
        certain = jnp.full((2, 1, 8), -30.0).at[..., 0].set(0.0)
        face = jnp.zeros((2, 1, 58))
        expected = Expected(units, jnp.zeros((2, 1, 2)), certain, face, jnp.ones((2, 1, 58)))
        return framewise_loss(expected, target, jnp.zeros((2, 1, 58)), jnp.ones(58), LossWeights())[
            0
        ]

    assert abs(float(jax.grad(loss)(jnp.float32(0.0)))) < 1e-6
    assert float(jax.grad(loss)(jnp.float32(1.0))) > 1e-3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": 0}, "features 0"),
        ({"dilations": ()}, "dilations"),
        ({"dilations": (0,)}, "dilations"),
        ({"smoothing": 0}, "smoothing 0"),
        ({"dropout": 1.0}, "dropout"),
        ({"temperature": -1.0}, "temperature"),
        ({"micro_motion": float("nan")}, "micro_motion"),
    ],
)
def test_sizes_that_cannot_be(changes, words):
    with pytest.raises(ValueError, match=words):
        FramewiseConfig(**changes)
