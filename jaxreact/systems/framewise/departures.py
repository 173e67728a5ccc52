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
    quick: Float[Array, "streams samples 58"]
    on: Bool[Array, "streams samples 15"]
    """Which action units are on."""


def first_mood(residuals: Residuals, keys: jax.Array) -> Mood:
    """Before the first frame; `keys` (streams, samples)."""
    pole = residuals.memory[...]
    near = 2 * pole / (1 + pole**2)
    noise = _noise(keys, jnp.asarray(0), 3)
    last, before = noise[..., :CHANNELS], noise[..., CHANNELS : 2 * CHANNELS]
    before = near * last + jnp.sqrt(1 - near**2) * before
    quick = noise[..., 2 * CHANNELS : 2 * CHANNELS + COEFFS]
    return Mood(
        slow=jnp.stack([last, before], axis=-2),
        quick=quick,
        on=jnp.zeros((*keys.shape, 15), bool),
    )


def depart(
    config: FramewiseConfig,
    residuals: Residuals,
    mood: Mood,
    expected: Expected,
    keys: jax.Array,
    begin: Int[Array, ""],
    temperature: Float[Array, ""],
    micro_motion: Float[Array, ""],
) -> tuple[Mood, Float[Array, "streams samples time 58"], Float[Array, "streams samples time 25"]]:
    """The mood after some frames, from number `begin` on, and the mean-subtracted coefficients and
    the emotion that are shown in them. `keys` (streams, samples)."""
    pole = residuals.memory[...]
    kept = residuals.quick_memory[...]
    strength = jnp.sqrt((1 - pole**2) ** 3 / (1 + pole**2))  # of unit variance
    normals = jax.scipy.special.ndtri(jnp.clip(jax.nn.sigmoid(expected.units), _LEAST, 1 - _LEAST))

    def frame(mood: Mood, given: tuple[jax.Array, jax.Array]) -> tuple[Mood, tuple]:
        number, unit = given
        noise = _noise(keys, number + 1, 1)
        last, before = mood.slow[..., 0, :], mood.slow[..., 1, :]
        new = 2 * pole * last - pole**2 * before + strength * noise[..., :CHANNELS]
        quick = kept * mood.quick + jnp.sqrt(1 - kept**2) * noise[..., CHANNELS:]
        slow = new @ residuals.mixing[...].T
        height = unit[:, None] + temperature * slow[..., UNITS]
        on = height > jnp.where(mood.on, -config.hysteresis, config.hysteresis)
        return Mood(jnp.stack([new, last], axis=-2), quick, on), (slow, quick, on)

    frames = normals.shape[1]
    numbers = begin + jnp.arange(frames)
    mood, made = jax.lax.scan(frame, mood, (numbers, normals.swapaxes(0, 1)))
    slow, quick, on = (jnp.moveaxis(part, 0, 2) for part in made)
    slow = temperature * slow
    emotion = _emotion(expected, slow, on)
    face = expected.coeffs[:, None] + slow[..., EMOTION_CHANNELS:]
    face = face + micro_motion * (quick @ residuals.quick_mixing[...].T)
    return mood, jnp.clip(face, residuals.low[...], residuals.high[...]), emotion


def _emotion(expected: Expected, slow: jax.Array, on: jax.Array) -> jax.Array:
    """Each channel in its range, and probabilities that add up to 1."""
    affect = jnp.clip(expected.affect[:, None] + slow[..., AFFECT], -1.0, 1.0)
    shares = jnp.maximum(jnp.exp(expected.expressions)[:, None] + slow[..., EXPRESSIONS], 1e-4)
    shares = shares / shares.sum(axis=-1, keepdims=True)
    return jnp.concatenate([on.astype(affect.dtype), affect, shares], axis=-1)


def _noise(keys: jax.Array, number: jax.Array, sets: int) -> jax.Array:
    """(streams, samples, sets x 141) of a frame's number."""

    def of_sample(key: jax.Array) -> jax.Array:
        return jax.random.normal(jax.random.fold_in(key, number), (sets * _NOISES,))

    return jax.vmap(jax.vmap(of_sample))(keys)
