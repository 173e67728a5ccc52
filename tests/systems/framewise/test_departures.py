"""Departures from the expected reaction: as often and as far as measured, steady, and streamed."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.framewise.config import FramewiseConfig
from jaxreact.systems.framewise.departures import depart, first_mood
from jaxreact.systems.framewise.model import Expected
from jaxreact.systems.framewise.residuals import Residuals, moments, summarised
from tests.systems.framewise.models import fill

FRAMES = 400


def residuals(memory: float = 0.9) -> Residuals:
    made = Residuals()
    fill(made, memory)
    return made


def expecting(probability: float, frames: int = FRAMES) -> Expected:
    logit = float(np.log(probability / (1 - probability)))
    return Expected(
        units=jnp.full((1, frames, 15), logit),
        affect=jnp.full((1, frames, 2), 0.2),
        expressions=jnp.full((1, frames, 8), jnp.log(1 / 8)),
        coeffs=jnp.zeros((1, frames, 58)),
        unrest=jnp.full((1, frames, 58), 0.01),
    )


def drawn(
    expected: Expected,
    made: Residuals,
    samples: int = 100,
    temperature: float = 1.0,
    micro_motion: float = 1.0,
    hysteresis: float = 0.0,
    affect: float = 0.5,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and emotion (samples, frames, ...)."""
    keys = jax.random.split(jax.random.key(0), samples)[None]
    config = FramewiseConfig(hysteresis=hysteresis, affect=affect)
    strengths = jnp.float32([temperature]), jnp.float32([micro_motion])
    coeffs, emotion = departed(config, *nnx.split(made), expected, keys, *strengths)
    return np.asarray(coeffs[0]), np.asarray(emotion[0])


@partial(jax.jit, static_argnums=(0, 1))
def departed(config, graph, state, expected, keys, *strengths):
    merged = nnx.merge(graph, state)
    begin = jnp.int32([0])
    return depart(config, merged, first_mood(merged, keys), expected, keys, begin, *strengths)[1:]


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.8])
def test_units_are_on_as_often_as_expected_from_the_first_frame_on(probability):
    """At temperature 1; what is drawn is there or not."""
    emotion = drawn(expecting(probability), residuals())[1]
    units = emotion[..., :15]
    assert set(np.unique(units)) <= {0.0, 1.0}
    assert units.mean() == pytest.approx(probability, abs=0.03)
    assert units[:, :5].mean() == pytest.approx(probability, abs=0.06)


def test_units_hold_together_and_go_together():
    units = drawn(expecting(0.5), residuals(0.95))[1][..., :15]
    changes = np.abs(np.diff(units, axis=1)).mean()
    assert changes < 0.05  # drawn frame by frame it would be a half
    together = np.corrcoef(units[..., 0].ravel(), units[..., 1].ravel())[0, 1]
    apart = np.corrcoef(units[..., 0].ravel(), units[..., 2].ravel())[0, 1]
    assert together > 0.4 > 0.15 > abs(apart)


def test_hysteresis_lets_fewer_changes_through():
    counts = [
        np.abs(np.diff(drawn(expecting(0.5), residuals(), 50, hysteresis=h)[1], axis=1)).sum()
        for h in (0.0, 0.3)
    ]
    assert counts[1] < 0.8 * counts[0]


def test_without_temperature_the_expected_reaction_is_left():
    coeffs, emotion = drawn(expecting(0.7, 20), residuals(), 2, temperature=0.0, micro_motion=0.0)
    assert not coeffs.any()
    assert (emotion[..., :15] == 1).all()
    np.testing.assert_allclose(emotion[..., 15:17], 0.2, atol=1e-6)
    np.testing.assert_allclose(emotion[..., 17:], 1 / 8, atol=1e-6)


def test_faces_move_as_far_as_measured():
    made = residuals()
    slow = drawn(expecting(0.5), made, micro_motion=0.0)[0]
    assert slow.std() == pytest.approx(0.1, rel=0.1)
    assert slow[:, 0].std() == pytest.approx(0.1, rel=0.1)
    quick = drawn(expecting(0.5), made, temperature=0.0)[0]
    assert quick.std() == pytest.approx(0.01, rel=0.05)
    lag = np.corrcoef(quick[:, 1:].ravel(), quick[:, :-1].ravel())[0, 1]
    assert lag == pytest.approx(0.5, abs=0.02)
    lag = np.corrcoef(quick[:, 2:].ravel(), quick[:, :-2].ravel())[0, 1]
    assert lag == pytest.approx(-0.2, abs=0.02)
    made.low[...] = jnp.full(58, -0.05)
    assert drawn(expecting(0.5), made)[0].min() >= -0.05 - 1e-6


def test_affect_departs_by_its_own_share():
    """Valence and arousal by 0.1 of slow noise; what is sure to come leaves no room."""
    whole, half, none = (drawn(expecting(0.5), residuals(), affect=a)[1] for a in (1.0, 0.5, 0.0))
    assert whole[..., 15:17].std() == pytest.approx(0.1, rel=0.1)
    assert half[..., 15:17].std() == pytest.approx(0.05, rel=0.1)
    np.testing.assert_allclose(
        none[..., 15:], drawn(expecting(0.5), residuals(), temperature=0.0)[1][..., 15:], atol=1e-6
    )
    np.testing.assert_array_equal(whole[..., :15], none[..., :15])
    sure = jnp.full((1, FRAMES, 8), -30.0).at[..., 0].set(0.0)
    certain = drawn(expecting(0.5)._replace(expressions=sure), residuals(), affect=1.0)[1]
    assert certain[..., 18:].std() < 0.2 * whole[..., 18:].std()


def test_channels_stay_in_their_ranges():
    emotion = drawn(expecting(0.5), residuals(), temperature=20.0)[1]
    assert np.abs(emotion[..., 15:17]).max() <= 1
    assert emotion[..., 17:].min() >= 0
    np.testing.assert_allclose(emotion[..., 17:].sum(axis=-1), 1, atol=1e-5)


def test_what_is_measured_is_what_is_drawn():
    """Noise that was drawn by known statistics is measured to have them."""
    made = residuals(0.95)
    coeffs, emotion = drawn(expecting(0.5, 1500), made, 40)
    centred = np.concatenate([emotion - emotion.mean((0, 1)), coeffs], axis=-1)
    known = summarised(np.asarray(moments(jnp.asarray(centred), jnp.ones_like(coeffs))))
    slow = known["mixing"] @ known["mixing"].T
    np.testing.assert_allclose(np.diagonal(slow)[:15], 1.0, rtol=1e-4)
    assert np.sqrt(np.diagonal(slow)[25:]).mean() == pytest.approx(0.1, rel=0.15)
    assert known["memory"] == pytest.approx(0.95, abs=0.02)
    quick = known["quick_mixing"] @ known["quick_mixing"].T
    assert np.sqrt(np.diagonal(quick)).mean() == pytest.approx(0.02, abs=0.015)
    assert slow[0, 1] > 0.4 > 0.2 > abs(slow[0, 2])


def test_who_is_still_and_blinks_does_not_tremble():
    """A step as large as people's in the mean, not one of their variance."""
    blinks = np.zeros((1, 2000, 83), np.float32)
    blinks[0, ::40, 25:] = 1.0
    known = summarised(np.asarray(moments(jnp.asarray(blinks), jnp.ones((1, 2000, 58)))))
    spread = np.sqrt(np.square(known["quick_mixing"]).sum(axis=1) * (1 - known["quick_memory"][0]))
    mean_step = np.abs(np.diff(blinks[0, :, 25:], axis=0)).mean()
    np.testing.assert_allclose(2 / np.sqrt(np.pi) * spread, mean_step, rtol=0.1)


def test_nobody_who_departs_is_measured_so():
    known = summarised(np.asarray(moments(jnp.zeros((1, 100, 83)), jnp.ones((1, 100, 58)))))
    assert all(np.isfinite(part).all() for part in known.values())
    assert not known["mixing"].any()
