"""The network: what is to be expected of a listener at each frame, given the speaker until then."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.nn.attention import linear
from jaxreact.nn.dropout import Seed, dropout, split
from jaxreact.nn.layers import Layers
from jaxreact.nn.normalisation import Normalisation
from jaxreact.systems.framewise.config import AFFECT, EXPRESSIONS, UNITS, FramewiseConfig
from jaxreact.systems.framewise.residuals import Residuals
from jaxreact.systems.framewise.senses import BANDS

_TAPS = 3
_UNREST, _BOUND = -1.0, 6.0
"""Logarithm of quick motion's deviation over all motion's, to begin with and at most."""


class Expected(NamedTuple):
    """What is to be expected of a listener."""

    units: Float[Array, "batch time 15"]
    """Logits of the action units."""
    affect: Float[Array, "batch time 2"]
    """Valence and arousal, about [-1, 1]."""
    expressions: Float[Array, "batch time 8"]
    """Logarithms of the expressions' probabilities."""
    coeffs: Float[Array, "batch time 58"]
    """Mean-subtracted."""
    unrest: Float[Array, "batch time 58"]
    """Deviations of the coefficients' quick motion just now, in their units."""

    @property
    def emotion(self) -> Float[Array, "batch time 25"]:
        """The expected emotion channels."""
        parts = (jax.nn.sigmoid(self.units), self.affect, jnp.exp(self.expressions))
        return jnp.concatenate(parts, axis=-1)

    @property
    def spread(self) -> Float[Array, "batch time 83"]:
        """What departures of emotion and coefficients are measured in, of each frame: an action
        unit or an expression that is sure to come, or not to, leaves no room to depart from it."""
        emotion, ones = self.emotion, jnp.ones_like
        units, shares = emotion[..., UNITS], emotion[..., EXPRESSIONS]
        parts = (_of_share(units), ones(self.affect), _of_share(shares), ones(self.coeffs))
        return jnp.concatenate(parts, axis=-1)


def _of_share(share: jax.Array) -> jax.Array:
    """Deviation of what is there with such a probability, at least 0.02."""
    return jnp.maximum(jnp.sqrt(share * (1 - share)), 0.02)


class GatedConvolution(nnx.Module):
    """A causal dilated convolution of three taps with a gate, beside the way straight through
    (van den Oord et al. 2016, WaveNet)."""

    def __init__(self, config: FramewiseConfig, dilation: int, *, rngs: nnx.Rngs):
        width = config.features
        self.taps = linear(_TAPS * width, 2 * width, True, rngs, (_TAPS * width) ** -0.5)
        self.out = linear(width, width, True, rngs, 0.3 * width**-0.5)
        self.dilation, self.dropout = dilation, config.dropout

    def __call__(
        self, x: Float[Array, "batch time features"], present: jax.Array, seed: Seed
    ) -> jax.Array:
        seen = _unit(x) * present
        taps = [_delayed(seen, tap * self.dilation) for tap in range(_TAPS)]
        value, gate = jnp.split(self.taps(jnp.concatenate(taps, axis=-1)), 2, axis=-1)
        new = self.out(jnp.tanh(value) * jax.nn.sigmoid(gate))
        return x + dropout(new, self.dropout, seed)


class Stack(nnx.Module):
    """A convolution of each dilation."""

    def __init__(self, config: FramewiseConfig, *, rngs: nnx.Rngs):
        self.convolutions = nnx.List(
            [GatedConvolution(config, dilation, rngs=rngs) for dilation in config.dilations]
        )

    def __call__(self, x: jax.Array, present: jax.Array, seed: Seed) -> jax.Array:
        seeds = split(seed, len(self.convolutions))
        for convolution, own in zip(self.convolutions, seeds, strict=True):
            x = convolution(x, present, own)
        return x


class Measured(nnx.Module):
    """What is measured, not trained: how faces move, and how people depart from what is expected of
    them."""

    def __init__(self):
        self.face = Normalisation(COEFFS)
        self.residuals = Residuals()


class Framewise(nnx.Module):
    """The expected reaction, and how people depart from it (`statistics.residuals`)."""

    def __init__(self, config: FramewiseConfig, *, rngs: nnx.Rngs):
        self.config = config
        width = config.features
        self.statistics = Measured()
        self.look = linear(COEFFS, width, True, rngs, COEFFS**-0.5)
        self.hear = linear(BANDS, width, False, rngs, BANDS**-0.5)
        self.stacks = Layers([Stack(config, rngs=rngs) for _ in range(config.stacks)])
        self.emotion = linear(width, EMOTION_CHANNELS, True, rngs, 0.02)
        self.coeffs = linear(width, COEFFS, True, rngs, 0.02)
        self.unrest = linear(width, COEFFS, True, rngs, 0.02)

    def __call__(
        self,
        coeffs: Float[Array, "batch time 58"],
        sound: Float[Array, "batch time 32"],
        present: Bool[Array, "batch time"] | None = None,
        seed: Seed = None,
    ) -> Expected:
        """`coeffs` (mean-subtracted) and `sound` (`senses.heard`) of the speaker; a frame's
        expectation depends on it and on `config.past` frames before it. Frames that are not
        `present` are from before a stream's beginning. `seed` switches dropout on."""
        first, others = split(seed, 2)
        x = self.look(self.statistics.face(coeffs)) + self.hear(sound)
        x = dropout(x, self.config.dropout / 2, first)
        there = jnp.ones(x.shape[:2], bool) if present is None else present
        mask = there[..., None].astype(x.dtype)
        x = _unit(self.stacks(_through, x, mask, seed=others))
        emotion = self.emotion(_mean_of_last(x, mask, self.config.smoothing)).astype(jnp.float32)
        face = self.statistics.face
        unrest = jnp.clip(self.unrest(x).astype(jnp.float32) + _UNREST, -_BOUND, _BOUND)
        return Expected(
            emotion[..., UNITS],
            emotion[..., AFFECT],
            jax.nn.log_softmax(emotion[..., EXPRESSIONS]),
            face.inverse(self.coeffs(x)),
            jnp.exp(unrest) * face.std[...],
        )


def _through(stack: Stack, x: jax.Array, seed: Seed, mask: jax.Array) -> jax.Array:
    return stack(x, mask, seed)


def _delayed(x: Float[Array, "batch time features"], frames: int) -> jax.Array:
    return jnp.pad(x, ((0, 0), (frames, 0), (0, 0)))[:, : x.shape[1]]


def _unit(x: jax.Array) -> jax.Array:
    """Each frame brought to unit size (Zhang & Sennrich 2019), in float32."""
    wide = x.astype(jnp.float32)
    size = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
    return (wide * jax.lax.rsqrt(size + 1e-6)).astype(x.dtype)


def _mean_of_last(x: jax.Array, mask: jax.Array, frames: int) -> jax.Array:
    """Of those of the last frames that are there."""
    total = sum(_delayed(x * mask, back) for back in range(frames))
    count = sum(_delayed(mask, back) for back in range(frames))
    return total / jnp.maximum(count, 1)
