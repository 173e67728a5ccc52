"""Transformer blocks of both models: normalised before, no dropout, no norm at the end.

Scores are divided by the root of the whole width, not of a head's (behaviour L3).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.attend import QueriesMask, attend
from jaxreact.nn.attention import Linear, layer_norm, linear
from jaxreact.nn.dropout import Seed
from jaxreact.nn.layers import Layers
from jaxreact.nn.uniform import uniform_linear

ALL = slice(None)
"""Positions."""

Start = Callable[[int, int, nnx.Rngs, bool], Linear]
"""(inputs, outputs, rngs, bias) -> a layer with its first weights."""


def normal(inputs: int, outputs: int, rngs: nnx.Rngs, bias: bool = True) -> Linear:
    """Weights of deviation 0.02, biases of zero: the predictor's."""
    return linear(inputs, outputs, bias, rngs, 0.02)


def uniform(inputs: int, outputs: int, rngs: nnx.Rngs, bias: bool = True) -> Linear:
    """torch's own: the VQ-VAE's."""
    return uniform_linear(inputs, outputs, rngs, bias=bias)


class PositionTable(nnx.Module):
    """Adds what was learnt of each position; it starts as zeros."""

    def __init__(self, positions: int, features: int):
        self.pos_embedding = nnx.Param(jnp.zeros((positions, features)))

    def __call__(
        self, x: Float[Array, "*batch positions features"]
    ) -> Float[Array, "*batch positions features"]:
        return x + self.pos_embedding[...].astype(x.dtype)


class _Attention(nnx.Module):
    """What both kinds do with queries, keys and values."""

    to_out: Linear
    heads: int

    def output(
        self, query: jax.Array, key: jax.Array, value: jax.Array, mask: QueriesMask | None
    ) -> jax.Array:
        width = query.shape[-1]
        parts = (query * width**-0.5, key, value)
        query, key, value = (x.reshape(*x.shape[:2], self.heads, -1) for x in parts)
        found = attend(query, key, value, mask)
        return self.to_out(found.reshape(*found.shape[:2], width))


class SelfAttention(_Attention):
    """Of a sequence to itself; only the output's layer has a bias."""

    def __init__(self, features: int, heads: int, start: Start, *, rngs: nnx.Rngs):
        self.to_qkv = start(features, 3 * features, rngs, False)
        self.to_out = start(features, features, rngs, True)
        self.heads = heads

    def __call__(
        self, x: jax.Array, mask: QueriesMask | None = None, kept: slice = ALL
    ) -> jax.Array:
        """The output of the positions `kept`; all are attended to where the mask allows it."""
        query, key, value = jnp.split(self.to_qkv(x), 3, axis=-1)
        return self.output(query[:, kept], key, value, mask)


class CrossAttention(_Attention):
    """Queries of another sequence than keys and values."""

    def __init__(self, features: int, heads: int, start: Start, *, rngs: nnx.Rngs):
        self.to_kv = start(features, 2 * features, rngs, False)
        self.to_q = start(features, features, rngs, False)
        self.to_out = start(features, features, rngs, True)
        self.heads = heads

    def __call__(self, x: jax.Array, asking: jax.Array) -> jax.Array:
        key, value = jnp.split(self.to_kv(x), 2, axis=-1)
        return self.output(self.to_q(asking), key, value, None)


class MLP(nnx.Module):
    """Two layers around the GELU by tanh, computed in float32."""

    def __init__(self, features: int, inner: int, start: Start, *, rngs: nnx.Rngs):
        self.l1 = start(features, inner, rngs, True)
        self.l2 = start(inner, features, rngs, True)

    def __call__(self, x: jax.Array) -> jax.Array:
        inner = self.l1(x)
        wide = jax.nn.gelu(inner.astype(jnp.float32), approximate=True)
        return self.l2(wide.astype(inner.dtype))


class Block(nnx.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)); of the positions `kept`."""

    def __init__(self, features: int, heads: int, inner: int, start: Start, *, rngs: nnx.Rngs):
        self.ln_1, self.ln_2 = (layer_norm(features, True, rngs) for _ in range(2))
        self.attn = SelfAttention(features, heads, start, rngs=rngs)
        self.mlp = MLP(features, inner, start, rngs=rngs)

    def __call__(
        self, x: jax.Array, mask: QueriesMask | None = None, kept: slice = ALL
    ) -> jax.Array:
        x = x[:, kept] + self.attn(self.ln_1(x), mask, kept)
        return x + self.mlp(self.ln_2(x))


class CrossBlock(nnx.Module):
    """The same with queries of another sequence, which is neither normalised nor changed (L6)."""

    def __init__(self, features: int, heads: int, inner: int, start: Start, *, rngs: nnx.Rngs):
        self.ln_1, self.ln_2 = (layer_norm(features, True, rngs) for _ in range(2))
        self.attn = CrossAttention(features, heads, start, rngs=rngs)
        self.mlp = MLP(features, inner, start, rngs=rngs)

    def __call__(self, x: jax.Array, asking: jax.Array) -> jax.Array:
        x = x + self.attn(self.ln_1(x), asking)
        return x + self.mlp(self.ln_2(x))


def through(block: Block, x: jax.Array, seed: Seed, mask: QueriesMask | None = None) -> jax.Array:
    """A step of `Layers` of blocks."""
    return block(x, mask)


def through_cross(block: CrossBlock, x: jax.Array, seed: Seed, asking: jax.Array) -> jax.Array:
    """A step of `Layers` of cross blocks."""
    return block(x, asking)


def blocks(
    count: int,
    features: int,
    heads: int,
    inner: int,
    start: Start,
    rngs: nnx.Rngs,
    kind: type[Block] | type[CrossBlock] = Block,
) -> Layers:
    """So many of a kind."""
    return Layers([kind(features, heads, inner, start, rngs=rngs) for _ in range(count)])
