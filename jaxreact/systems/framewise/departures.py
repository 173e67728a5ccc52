"""A listener of flesh and blood: the expected reaction, and a person's departures from it.

What is drawn is drawn jointly. Slow noise carries all channels through a clip: an action unit is on
where its expectation and its noise together say so (a probit process: each frame has the expected
probability, and successive frames agree), so that nothing flickers, and nothing jumps, for there
are no borders. Each frame is drawn by its number and what the frame before left: a stream draws
what the whole clip would.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.systems.framewise.config import AFFECT, EXPRESSIONS, UNITS, FramewiseConfig
from jaxreact.systems.framewise.model import Expected
from jaxreact.systems.framewise.residuals import CHANNELS, Residuals

_NOISES = CHANNELS + COEFFS
_LEAST = 1e-3
"""Probabilities of action units are at least that far from 0 and 1: what has never been seen may
happen."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Mood:
    """What a frame leaves to the next, of some samples of some streams."""

    slow: Float[Array, "streams samples 2 83"]
    """The noises of the last two frames."""
    quick: Float[Array, "streams samples 2 58"]
    """Of the last two frames, of unit variance."""
    on: Bool[Array, "streams samples 15"]
    """Which action units are on."""


def first_mood(residuals: Residuals, keys: jax.Array) -> Mood:
    """Before the first frame; `keys` (streams, samples)."""
    pole = residuals.memory[...]
    noise = _noise(keys, jnp.zeros(len(keys), jnp.int32), 2)
    slow = noise[..., : 2 * CHANNELS].reshape(*keys.shape, 2, CHANNELS)
    quick = noise[..., 2 * CHANNELS :].reshape(*keys.shape, 2, COEFFS)
    return Mood(
        slow=_alike(slow, 2 * pole / (1 + pole**2)),
        quick=_alike(quick, residuals.quick_memory[0]),
        on=jnp.zeros((*keys.shape, 15), bool),
    )


def _alike(pair: Float[Array, "*batch 2 channels"], correlation: jax.Array) -> jax.Array:
    """Two independent unit noises as two frames of one."""
    last, other = pair[..., 0, :], pair[..., 1, :]
    return jnp.stack([last, correlation * last + jnp.sqrt(1 - correlation**2) * other], axis=-2)


def depart(
    config: FramewiseConfig,
    residuals: Residuals,
    mood: Mood,
    expected: Expected,
    keys: jax.Array,
    begin: Int[Array, "streams"],
    temperature: Float[Array, "streams"],
    micro_motion: Float[Array, "streams"],
) -> tuple[Mood, Float[Array, "streams samples time 58"], Float[Array, "streams samples time 25"]]:
    """The mood after some frames, from number `begin` of each stream on, and the mean-subtracted
    coefficients and the emotion that are shown in them. `keys` (streams, samples)."""
    hot, restless = temperature[:, None, None], micro_motion[:, None, None, None]
    pole = residuals.memory[...]
    slow_recursion = (2 * pole, -(pole**2), jnp.sqrt((1 - pole**2) ** 3 / (1 + pole**2)))
    quick_recursion = _recursion(*residuals.quick_memory[...])
    heights = jax.scipy.special.ndtri(jnp.clip(jax.nn.sigmoid(expected.units), _LEAST, 1 - _LEAST))

    def frame(mood: Mood, given: tuple[jax.Array, jax.Array]) -> tuple[Mood, tuple]:
        number, height = given
        noise = _noise(keys, number + 1, 1)
        slow = _next(mood.slow, slow_recursion, noise[..., :CHANNELS])
        quick = _next(mood.quick, quick_recursion, noise[..., CHANNELS:])
        departure = slow[..., 0, :] @ residuals.mixing[...].T
        reached = height[:, None] + hot * departure[..., UNITS]
        on = reached > jnp.where(mood.on, -config.hysteresis, config.hysteresis)
        return Mood(slow, quick, on), (departure, quick[..., 0, :], on)

    frames = heights.shape[1]
    numbers = begin + jnp.arange(frames)[:, None]
    mood, made = jax.lax.scan(frame, mood, (numbers, heights.swapaxes(0, 1)))
    slow, quick, on = (jnp.moveaxis(part, 0, 2) for part in made)
    slow = hot[..., None] * slow * expected.spread[:, None]
    face = expected.coeffs[:, None] + slow[..., EMOTION_CHANNELS:]
    quick = quick @ residuals.quick_mixing[...].T * expected.unrest[:, None]
    face = jnp.clip(face + restless * quick, residuals.low[...], residuals.high[...])
    return mood, face, _emotion(expected, config.affect * slow, on)


def _recursion(one: jax.Array, two: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What the last frame, the one before it and new noise count in a process of unit variance
    whose correlations with itself one and two frames ago are given (Yule-Walker)."""
    last = one * (1 - two) / (1 - one**2)
    before = (two - one**2) / (1 - one**2)
    return last, before, jnp.sqrt(jnp.maximum(1 - last * one - before * two, 0.0))


def _next(
    pair: Float[Array, "*batch 2 channels"],
    recursion: tuple[jax.Array, jax.Array, jax.Array],
    noise: Float[Array, "*batch channels"],
) -> Float[Array, "*batch 2 channels"]:
    """A noise's next frame, and its last one."""
    last, before, new = recursion
    made = last * pair[..., 0, :] + before * pair[..., 1, :] + new * noise
    return jnp.stack([made, pair[..., 0, :]], axis=-2)


def _emotion(expected: Expected, slow: jax.Array, on: jax.Array) -> jax.Array:
    """Each channel in its range, and probabilities that add up to 1."""
    affect = jnp.clip(expected.affect[:, None] + slow[..., AFFECT], -1.0, 1.0)
    shares = jnp.maximum(jnp.exp(expected.expressions)[:, None] + slow[..., EXPRESSIONS], 1e-4)
    shares = shares / shares.sum(axis=-1, keepdims=True)
    return jnp.concatenate([on.astype(affect.dtype), affect, shares], axis=-1)


def _noise(keys: jax.Array, number: Int[Array, "streams"], sets: int) -> jax.Array:
    """(streams, samples, sets x 141) of a frame's number."""

    def of_sample(key: jax.Array, number: jax.Array) -> jax.Array:
        return jax.random.normal(jax.random.fold_in(key, number), (sets * _NOISES,))

    return jax.vmap(jax.vmap(of_sample, (0, None)))(keys, number)
