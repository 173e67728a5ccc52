"""Dropout, and the randomness that it draws: a hash, so that nothing of it need be stored."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, UInt32

Seed = UInt32[Array, "2"] | None
"""What a dropout draws by, or what is split into the seeds of several, once; `None` is
inference. The start and the step of a SplitMix generator (Steele et al. 2014)."""


def seed_of(key: jax.Array | None) -> Seed:
    """The seed that a random key stands for."""
    return None if key is None else jax.random.bits(key, (2,), jnp.uint32)


def split(seed: Seed, count: int) -> list[Seed]:
    """`count` independent seeds, or as many `None`s when there is none (inference)."""
    return [None] * count if seed is None else list(hashed_bits(seed, (count, 2)))


def dropout(x: jax.Array, rate: float, seed: Seed) -> jax.Array:
    """Zeroes each entry with probability `rate` and rescales the rest."""
    if seed is None or rate == 0.0:
        return x
    kept = hashed_bits(seed, x.shape) >= np.uint32(rate * 2**32)
    return jnp.where(kept, x / (1.0 - rate), 0.0)


@partial(jax.jit, static_argnames="shape")
def hashed_bits(seed: UInt32[Array, "2"], shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """32 random bits for each entry of an array: a hash of the entry's number and of the seed.

    Good enough to drop entries by, and no more. What a training step takes with JAX's own
    generators instead is in benchmarks/layers.py: on a CPU a quarter more, or worse. Each device
    computes what it needs.
    """
    number = jnp.zeros(shape, jnp.uint32)
    for axis, length in enumerate(shape):
        number = number * np.uint32(length) + jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
    return mixed(number * (seed[0] | np.uint32(1)) + seed[1])


def mixed(bits: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """Each bit of the input changes each of the output: the end of MurmurHash3 (Appleby 2011)."""
    bits = (bits ^ (bits >> 16)) * np.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> 13)) * np.uint32(0xC2B2AE35)
    return bits ^ (bits >> 16)
