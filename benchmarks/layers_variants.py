"""The library's own layers, to be put in the place of ours while a step is traced.

What cannot be had from the library is said where it is missing.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
from flax import nnx

from jaxreact.nn import attend as attend_module
from jaxreact.nn import attention, layers
from jaxreact.nn.attend import MASKED_SCORE, Mask, heads_mask, later_patches
from jaxreact.nn.dropout import Seed
from jaxreact.systems.fiber import streams, tokenizer

Replacement = tuple[Any, str, Any]
"""A module or class, the name in it, and what stands there meanwhile."""


def bernoulli_dropout(x: jax.Array, rate: float, seed: Seed) -> jax.Array:
    """As `nnx.Dropout` does it, by JAX's default generator."""
    if seed is None or rate == 0.0:
        return x
    return _bernoulli(x, rate, jax.random.wrap_key_data(seed))


def _bernoulli(x: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    kept = jax.random.bernoulli(key, 1.0 - rate, x.shape)
    return jnp.where(kept, x / (1.0 - rate), 0.0)


def rbg_dropout(x: jax.Array, rate: float, seed: Seed) -> jax.Array:
    """The same by the generator that the compiler brings along, faster on accelerators."""
    if seed is None or rate == 0.0:
        return x
    return _bernoulli(x, rate, jax.random.wrap_key_data(jnp.tile(seed, 2), impl="rbg"))


def exact_gelu(x: jax.Array) -> jax.Array:
    return jax.nn.gelu(x.astype(jnp.float32), approximate=False).astype(x.dtype)


def attend(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    mask: Mask,
    n_head: int,
    rate: float = 0.0,
    seed: Seed = None,
    mixed: bool = False,
    patch: int | None = None,
    *,
    fused: bool = False,
) -> jax.Array:
    """Attention that selects scores and takes `jax.nn.softmax`; or, `fused`, all of it from
    `jax.nn.dot_product_attention`, which knows no dropout and so does less."""
    batch, queries, features = query.shape
    keys = key.shape[1]
    query, key, value = (
        part.reshape(batch, part.shape[1], n_head, features // n_head)
        for part in (query, key, value)
    )
    allowed = heads_mask(mask, n_head, mixed)
    allowed = None if allowed is None else allowed[:, :, None, :]
    later = None if patch is None else later_patches(queries, keys, patch)
    if fused:
        both = allowed if later is None else ~later & (True if allowed is None else allowed)
        if both is not None:
            both = jnp.broadcast_to(both, (batch, n_head, queries, keys))
        output = jax.nn.dot_product_attention(query, key, value, mask=both)
        return output.reshape(batch, queries, features)
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key, preferred_element_type=jnp.float32)
    scores = scores * (features // n_head) ** -0.5
    if allowed is not None:
        scores = jnp.where(allowed, scores, MASKED_SCORE)
    if later is not None:
        scores = jnp.where(later, 2 * MASKED_SCORE, scores)
    weights = attention.dropout(jax.nn.softmax(scores, axis=-1), rate, seed)
    output = jnp.einsum("bhqk,bkhd->bqhd", weights.astype(value.dtype), value)
    return output.reshape(batch, queries, features)


def _dropouts(function: Callable[..., jax.Array]) -> list[Replacement]:
    places = (attend_module, attention, streams, tokenizer)
    return [(place, "dropout", function) for place in places]


_LINEAR: list[Replacement] = [(attention.Linear, "__call__", nnx.Linear.__call__)]
_GELU: list[Replacement] = [(attention, "gelu", exact_gelu)]
_ATTEND: list[Replacement] = [(attention, "attend", attend)]
_FUSED: list[Replacement] = [(attention, "attend", functools.partial(attend, fused=True))]

VARIANTS: dict[str, list[Replacement]] = {
    "ours": [],
    "dropout: jax.random.bernoulli": _dropouts(bernoulli_dropout),
    "dropout: jax.random.bernoulli, rbg": _dropouts(rbg_dropout),
    "linear: nnx.Linear": _LINEAR,
    "gelu: jax.nn.gelu": _GELU,
    "attention: jnp.where, jax.nn.softmax": _ATTEND,
    "attention: jax.nn.dot_product_attention, no dropout": _FUSED,
    "all four of the library": [*_dropouts(bernoulli_dropout), *_LINEAR, *_GELU, *_ATTEND],
}


@contextmanager
def in_place(replacements: list[Replacement]) -> Iterator[None]:
    """While open, what is traced has these layers."""
    # A loop that was traced with others would be taken again.
    again = functools.partial(layers._scan)
    anew = jax.jit(again, static_argnames=("graph", "step", "remat"))
    with ExitStack() as stack:
        for place, name, value in [*replacements, (layers, "_loop", anew)]:
            stack.enter_context(mock.patch.object(place, name, value))
        yield
