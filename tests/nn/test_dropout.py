"""Dropout draws as fairly as it must, by a seed that serves once."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.nn.dropout import dropout, hashed_bits, seed_of, split

SEED = seed_of(jax.random.key(0))


def test_without_a_seed_or_a_rate_there_is_none():
    x = jnp.arange(50.0)
    assert dropout(x, 0.5, None) is x
    assert dropout(x, 0.0, SEED) is x
    assert seed_of(None) is None
    assert split(None, 3) == [None, None, None]


def test_seeds_differ():
    """Those of one key and of another, and those that they are split into."""
    keys = jax.random.split(jax.random.key(0), 50)
    seeds = [each for key in keys for each in split(seed_of(key), 20)]
    for words in np.asarray(seeds).T:
        assert len(set(words.tolist())) == len(seeds)


def test_dropout_keeps_the_mean():
    x = jnp.ones(100_000)
    dropped = np.asarray(dropout(x, 0.2, SEED))
    assert set(np.unique(dropped)) == {0.0, np.float32(1.25)}
    assert dropped.mean() == pytest.approx(1, abs=0.01)


def test_dropout_is_random_in_every_direction():
    """Entries, neighbours along each axis, and two seeds know nothing of each other."""
    seeds = split(SEED, 2)
    shape, rate = (40, 50, 60), 0.3
    kept, other = (np.asarray(dropout(jnp.ones(shape), rate, seed)) > 0 for seed in seeds)
    error = 5 * math.sqrt(rate * (1 - rate) / kept.size)
    assert kept.mean() == pytest.approx(1 - rate, abs=error)
    pairs = [(kept, other)] + [
        (kept, np.roll(kept, step, axis)) for axis in range(3) for step in (1, 2)
    ]
    for one, two in pairs:
        assert (one & two).mean() == pytest.approx((1 - rate) ** 2, abs=2 * error)


def test_all_hashed_bits_are_fair():
    bits = np.asarray(hashed_bits(SEED, (300, 200)))
    assert bits.dtype == np.uint32
    assert len(np.unique(bits)) > 0.9999 * bits.size
    set_bits = [((bits >> place) & 1).mean() for place in range(32)]
    np.testing.assert_allclose(set_bits, 0.5, rtol=0, atol=5 * 0.5 / math.sqrt(bits.size))
