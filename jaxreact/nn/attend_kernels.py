"""The kernels of attention: what one program does with its block of queries or of keys.

A block of queries looks at one block of keys after the other and rescales what it has when a larger
score comes (Dao et al. 2022, arXiv 2205.14135); backwards, weights are computed again from each
row's largest score and sum, and which of them were dropped from their numbers.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from jaxreact.nn.attend import MASKED_SCORE
from jaxreact.nn.dropout import mixed

BLOCK = 64
"""Queries or keys of a block at most."""
QUERIES_BACK, KEYS_BACK = 256, 32
"""The same of the way back."""
LEAST = 16
"""Triton's products have no smaller side."""


@dataclass(frozen=True)
class Plan:
    """What is known when tracing."""

    patch: int | None
    rate: float
    interpret: bool
    """Walk through the kernels step by step on any device, slowly, for tests."""
    queries: int = 0
    keys: int = 0
    heads: int = 0
    places: tuple[tuple[int, int], ...] = ()
    """Where queries, keys and values are: which array, and the first of their heads in it."""

    @property
    def gain(self) -> float:
        """Of the weights that are not dropped."""
        return 1.0 / (1.0 - self.rate)

    @property
    def query_block(self) -> int:
        return min(BLOCK, power_of_two(self.queries))

    @property
    def key_block(self) -> int:
        return min(BLOCK, power_of_two(self.keys))

    @property
    def queries_back(self) -> int:
        return min(QUERIES_BACK, power_of_two(self.queries))

    @property
    def keys_back(self) -> int:
        return min(KEYS_BACK, power_of_two(self.keys))


def power_of_two(length: int) -> int:
    return max(LEAST, 1 << (length - 1).bit_length())


@dataclass(frozen=True)
class Scores:
    """Scores of a block of queries and a block of keys, and which of their weights are kept."""

    plan: Plan
    row: Any
    """Number of the sample and head."""
    block: Any
    """Number of the block of what the first output is cut into."""
    allowed: Any = None
    seed: Any = None

    def of(self, query: jax.Array, key: jax.Array, queries: jax.Array, keys: jax.Array, at: Any):
        """`at` is the place of the block of keys in the mask."""
        plan = self.plan
        scores = _product(query, key, trans_b=True)
        if self.allowed is not None:
            allowed = self.allowed[at]
            scores = jnp.where(allowed[None, :] != 0, scores, MASKED_SCORE)
        if plan.patch is not None:
            position = queries + (plan.keys - plan.queries)
            later = (keys // plan.patch)[None, :] > (position // plan.patch)[:, None]
            scores = jnp.where(later, 2 * MASKED_SCORE, scores)
        if plan.keys % len(keys) == 0:
            return scores
        return jnp.where((keys < plan.keys)[None, :], scores, -jnp.inf)

    def dropped(self, weights: jax.Array, queries: jax.Array, keys: jax.Array) -> jax.Array:
        """Those that are kept as they are, without their gain."""
        plan = self.plan
        if self.seed is None:
            return weights
        # As `hashed_bits` numbers the entries of (batch, heads, queries, keys); times its step
        # before they are summed, which is the same modulo 2**32 and less to do for each entry.
        step = self.seed[0] | np.uint32(1)
        row = self.row.astype(jnp.uint32) * np.uint32(plan.queries)
        row = (row + queries.astype(jnp.uint32)) * np.uint32(plan.keys) * step + self.seed[1]
        bits = mixed(row[:, None] + (keys.astype(jnp.uint32) * step)[None, :])
        return jnp.where(bits >= np.uint32(plan.rate * 2**32), weights, 0.0)


def _positions(block: Any, length: int) -> jax.Array:
    return block * length + jnp.arange(length)


def _product(a: jax.Array, b: jax.Array, **transposed: bool) -> jax.Array:
    """In float32 of what the second has; TensorFloat-32 where XLA would take it, too."""
    precision = None
    if a.dtype == jnp.float32:
        wanted = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]
        exact = wanted in ("float32", "highest")
        precision = jax.lax.Precision.HIGHEST if exact else jax.lax.Precision.HIGH
    return triton.dot(a, b, precision=precision, **transposed)


def forward_kernel(scores: Scores, query, key, value, output, peak, total) -> None:
    plan, rows = scores.plan, query[...]
    queries = _positions(scores.block, plan.query_block)

    def look(block: Any, seen: Any) -> Any:
        gathered, highest, sums = seen
        keys = _positions(block, plan.key_block)
        at = pl.ds(block * plan.key_block, plan.key_block)
        found = scores.of(rows, key[at, :], queries, keys, at)
        higher = jnp.maximum(highest, found.max(axis=1))
        weights = jnp.exp(found - higher[:, None])
        shrunk = jnp.exp(highest - higher)
        sums = sums * shrunk + weights.sum(axis=1)
        kept = scores.dropped(weights, queries, keys).astype(value.dtype)
        gathered = gathered * shrunk[:, None] + _product(kept, value[at, :])
        return gathered, higher, sums

    start = (
        jnp.zeros(rows.shape, jnp.float32),
        jnp.full(plan.query_block, -jnp.inf, jnp.float32),
        jnp.zeros(plan.query_block, jnp.float32),
    )
    blocks = -(-plan.keys // plan.key_block)
    gathered, highest, sums = jax.lax.fori_loop(0, blocks, look, start)
    output[...] = (gathered * (plan.gain / sums)[:, None]).astype(output.dtype)
    peak[...] = highest
    total[...] = sums


def backward_kernel(
    scores, query, key, value, gradient, output, peak, total, *found, places, heads
) -> None:
    """Of many queries at once and one block of keys after the other, so that each weight is
    computed again once, for all three gradients.

    `places` says where gradients by queries, keys and values belong: which of `found`, (positions,
    heads, size), and at which of its heads the first of this attention's `heads` stands.
    """
    plan, rows, above = scores.plan, query[...], gradient[...]
    queries = _positions(scores.block, plan.queries_back)
    highest, share = peak[...], 1.0 / total[...]
    drop = (above.astype(jnp.float32) * output[...].astype(jnp.float32)).sum(axis=1)

    def write(part: int, at: Any, values: jax.Array) -> None:
        number, first = places[part]
        ref = found[number]
        ref[at, first + scores.row % heads, :] = values.astype(ref.dtype)

    def look(block: Any, gathered: jax.Array) -> jax.Array:
        keys = _positions(block, plan.keys_back)
        at = pl.ds(block * plan.keys_back, plan.keys_back)
        columns = key[at, :]
        logits = scores.of(rows, columns, queries, keys, at)
        weights = jnp.exp(logits - highest[:, None]) * share[:, None]
        kept = scores.dropped(weights * plan.gain, queries, keys)
        pulled = _product(above, value[at, :], trans_b=True)
        slope = (kept * pulled - weights * drop[:, None]).astype(rows.dtype)
        write(1, at, _product(slope, rows, trans_a=True))
        write(2, at, _product(kept.astype(above.dtype), above, trans_a=True))
        return gathered + _product(slope, columns)

    start = jnp.zeros(rows.shape, jnp.float32)
    gathered = jax.lax.fori_loop(0, -(-plan.keys // plan.keys_back), look, start)
    write(0, pl.ds(0, plan.queries_back), gathered)
