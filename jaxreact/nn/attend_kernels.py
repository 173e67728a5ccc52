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

    @property
    def query_block(self) -> int:
        return _block(self.queries)

    @property
    def key_block(self) -> int:
        return _block(self.keys)


def _block(length: int) -> int:
    return min(BLOCK, power_of_two(length))


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
        return jnp.where((keys < plan.keys)[None, :], scores, -jnp.inf)

    def dropped(self, weights: jax.Array, queries: jax.Array, keys: jax.Array) -> jax.Array:
        plan = self.plan
        if self.seed is None:
            return weights
        # As `hashed_bits` numbers the entries of (batch, heads, queries, keys).
        row = self.row.astype(jnp.uint32) * np.uint32(plan.queries)
        row = (row + queries.astype(jnp.uint32)) * np.uint32(plan.keys)
        number = row[:, None] + keys.astype(jnp.uint32)[None, :]
        bits = mixed(number * (self.seed[0] | np.uint32(1)) + self.seed[1])
        return jnp.where(bits >= np.uint32(plan.rate * 2**32), weights / (1.0 - plan.rate), 0.0)


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
    output[...] = (gathered / sums[:, None]).astype(output.dtype)
    peak[...] = highest
    total[...] = sums


def _pulled(scores: Scores, rows, keys_block, value_block, gradient, stats, queries, keys, at):
    """Weights, those that were kept, and the gradient of the scores, of two blocks."""
    highest, sums, shift = stats
    found = scores.of(rows, keys_block, queries, keys, at)
    weights = jnp.exp(found - highest[:, None]) / sums[:, None]
    kept = scores.dropped(weights, queries, keys)
    pulled = _product(gradient, value_block, trans_b=True)
    return kept, kept * pulled - weights * shift[:, None]


def query_kernel(scores, query, key, value, gradient, peak, total, shift, by_query) -> None:
    plan, rows, above = scores.plan, query[...], gradient[...]
    queries = _positions(scores.block, plan.query_block)
    stats = (peak[...], total[...], shift[...])

    def look(block: Any, gathered: jax.Array) -> jax.Array:
        keys = _positions(block, plan.key_block)
        at = pl.ds(block * plan.key_block, plan.key_block)
        columns = key[at, :]
        slope = _pulled(scores, rows, columns, value[at, :], above, stats, queries, keys, at)[1]
        return gathered + _product(slope.astype(columns.dtype), columns)

    start = jnp.zeros(rows.shape, jnp.float32)
    gathered = jax.lax.fori_loop(0, -(-plan.keys // plan.key_block), look, start)
    by_query[...] = gathered.astype(by_query.dtype)


def key_kernel(scores, query, key, value, gradient, peak, total, shift, by_key, by_value) -> None:
    plan, columns, values = scores.plan, key[...], value[...]
    keys = _positions(scores.block, plan.key_block)
    place = pl.ds(scores.block * plan.key_block, plan.key_block)

    def look(block: Any, gathered: Any) -> Any:
        queries = _positions(block, plan.query_block)
        at = pl.ds(block * plan.query_block, plan.query_block)
        rows, above = query[at, :], gradient[at, :]
        stats = (peak[at], total[at], shift[at])
        kept, slope = _pulled(scores, rows, columns, values, above, stats, queries, keys, place)
        return (
            gathered[0] + _product(slope.astype(rows.dtype), rows, trans_a=True),
            gathered[1] + _product(kept.astype(above.dtype), above, trans_a=True),
        )

    start = (jnp.zeros(columns.shape, jnp.float32), jnp.zeros(values.shape, jnp.float32))
    gathered = jax.lax.fori_loop(0, -(-plan.queries // plan.query_block), look, start)
    by_key[...] = gathered[0].astype(by_key.dtype)
    by_value[...] = gathered[1].astype(by_value.dtype)
