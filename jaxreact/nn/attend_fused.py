"""Attention in one kernel, which writes no scores to memory: for NVIDIA GPUs, by Pallas and Triton.

The same as `jaxreact.nn.attend`, gradients and dropped weights included.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Array, Float

from jaxreact.devices import triton_runs
from jaxreact.errors import UserError
from jaxreact.nn import attend as written_out
from jaxreact.nn.attend import HeadsMask
from jaxreact.nn.attend_kernels import (
    Plan,
    Scores,
    backward_kernel,
    forward_kernel,
    power_of_two,
)
from jaxreact.nn.dropout import Seed
from jaxreact.nn.layers import keep
from jaxreact.sharding import devices_of_a_batch, over_rows

CHOICE = "JAXREACT_FUSED_ATTENTION"
"""Environment variable: `auto` (the default), `on` or `off`."""


_OFF = ContextVar("_OFF", default=False)


@contextmanager
def never() -> Iterator[None]:
    """What is traced meanwhile has attention written out, whose products can be counted."""
    token = _OFF.set(True)
    try:
        yield
    finally:
        _OFF.reset(token)


def is_usable() -> bool:
    """Whether attention is computed so: on NVIDIA GPUs, Ampere or newer.

    Of several, what is traced has to say which rows of a batch are whose (`sharding.over`). Else
    none would know which part of the kernel is its own, and all would compute all.
    """
    choice = os.environ.get(CHOICE, "auto")
    if choice not in ("auto", "on", "off"):
        raise UserError(f"{CHOICE}={choice}: give auto, on or off")
    if _OFF.get():
        return False
    if choice != "auto":
        return choice == "on"
    return triton_runs() and (jax.device_count() == 1 or devices_of_a_batch() > 1)


class Heads(NamedTuple):
    """Some of the heads that an array holds, `count` of them from `first` on."""

    array: Float[Array, "batch time heads size"]
    first: int
    count: int

    def taken(self) -> Float[Array, "batch time some size"]:
        """Them alone."""
        return self.array[:, :, self.first : self.first + self.count]

    def last(self, time: int) -> "Heads":
        """Of them the last positions."""
        return Heads(self.taken()[:, -time:], 0, self.count)


def attend(
    query: Float[Array, "batch queries heads size"] | Heads,
    key: Float[Array, "batch keys heads size"] | Heads,
    value: Float[Array, "batch keys heads size"] | Heads,
    allowed: HeadsMask = None,
    patch: int | None = None,
    rate: float = 0.0,
    seed: Seed = None,
    interpret: bool = False,
) -> Float[Array, "batch queries heads size"]:
    """As `jaxreact.nn.attend.attend`; on a device other than a GPU of NVIDIA's, that.

    What a layer makes at once need not be cut into queries, keys and values: `Heads` of one array
    are read, and their gradients written, where they are.
    """
    arrays: list[jax.Array] = []
    places: list[tuple[int, int]] = []
    parts = [
        part if isinstance(part, Heads) else Heads(part, 0, part.shape[2])
        for part in (query, key, value)
    ]
    for given, part in zip((query, key, value), parts, strict=True):
        shared = [at for at, array in enumerate(arrays) if given is part and array is part.array]
        places.append((shared[0] if shared else len(arrays), part.first))
        arrays += [] if shared else [part.array]
    plan = Plan(
        patch,
        0.0 if seed is None else rate,
        interpret,
        queries=parts[0].array.shape[1],
        keys=parts[1].array.shape[1],
        heads=parts[0].count,
        places=tuple(places),
    )
    assert allowed is None or allowed.shape[0] == arrays[0].shape[0]
    given = (plan, tuple(arrays), allowed, seed if plan.rate else None)
    if len(arrays[0]) % devices_of_a_batch():
        return _written_out(*given)
    return _attend(*given)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _attend(plan: Plan, arrays: Any, allowed: Any, seed: Any) -> Any:
    return _forward(plan, arrays, allowed, seed)[0]


def _forward(plan: Plan, *inputs: Any) -> Any:
    """Output, and what the way back needs."""
    if plan.interpret:
        output, peak, total = _on_each(_forward_kernels, plan, *inputs)
    else:
        output, peak, total = jax.lax.platform_dependent(
            *inputs,
            cuda=partial(_on_each, _forward_kernels, plan),
            default=partial(_forward_written_out, plan),
        )
    output, peak, total = (keep(part) for part in (output, peak, total))
    return output, (*inputs, output, peak, total)


def _backward(plan: Plan, kept: Any, gradient: Any) -> Any:
    if plan.interpret:
        return _on_each(_backward_kernels, plan, *kept, gradient), None, None
    gradients = jax.lax.platform_dependent(
        *kept,
        gradient,
        cuda=partial(_on_each, _backward_kernels, plan),
        default=partial(_backward_written_out, plan),
    )
    return gradients, None, None


_attend.defvjp(_forward, _backward)


def _on_each(
    kernels: Callable[..., Any], plan: Plan, arrays: Any, allowed: Any, seed: Any, *others: Any
) -> Any:
    """Kernels of the rows that are a device's own, on each."""

    def own(first: jax.Array, seed: Any, arrays: Any, allowed: Any, *others: Any) -> Any:
        if seed is not None:
            # Dropout numbers the entries of all rows, times a step, from the seed's second on.
            entries = plan.heads * plan.queries * plan.keys
            before = first.astype(jnp.uint32) * np.uint32(entries)
            seed = seed.at[1].add(before * (seed[0] | np.uint32(1)))
        return kernels(plan, arrays, allowed, seed, *others)

    if devices_of_a_batch() == 1:
        return kernels(plan, arrays, allowed, seed, *others)
    return over_rows(own, seed, arrays, allowed, *others)


def _written_out(plan: Plan, arrays: Any, allowed: Any, seed: Any) -> Any:
    query, key, value = (Heads(arrays[at], first, plan.heads).taken() for at, first in plan.places)
    return written_out.attend(query, key, value, allowed, plan.patch, plan.rate, seed)


def _forward_written_out(plan: Plan, arrays: Any, allowed: Any, seed: Any):
    output = _written_out(plan, arrays, allowed, seed)
    unused = jnp.zeros((len(output), plan.heads, plan.queries), jnp.float32)
    return output, unused, unused


def _backward_written_out(plan: Plan, *kept: Any):
    arrays, allowed, seed, _, _, _, gradient = kept
    return jax.vjp(lambda arrays: _written_out(plan, arrays, allowed, seed), arrays)[1](gradient)[0]


def _joined(plan: Plan, arrays: tuple[jax.Array, ...], gradients: Any) -> tuple[jax.Array, ...]:
    """Those of arrays, from those by queries, keys and values; zeros where heads are none."""
    places = sorted((*place, part) for part, place in enumerate(plan.places))
    pieces: list[list[jax.Array]] = [[] for _ in arrays]
    ends = [0 for _ in arrays]
    for at, first, part in places:
        if first > ends[at]:
            pieces[at].append(jnp.zeros_like(arrays[at][:, :, ends[at] : first]))
        pieces[at].append(gradients[part])
        ends[at] = first + plan.heads
    for at, array in enumerate(arrays):
        if ends[at] < array.shape[2]:
            pieces[at].append(jnp.zeros_like(array[:, :, ends[at] :]))
    return tuple(jnp.concatenate(each, axis=2) for each in pieces)


def _forward_kernels(plan: Plan, arrays: Any, allowed: Any, seed: Any):
    """Output, and of each row (batch, heads, queries) the largest score and the sum of weights."""
    call = _Call(plan, (plan.query_block, plan.key_block), arrays, allowed, seed)
    rows = jax.ShapeDtypeStruct((*call.rows, call.padded_queries), jnp.float32)
    output, peak, total = call(
        forward_kernel,
        parts=("queries", "all keys", "all keys"),
        inputs=call.given,
        out_parts=("queries", "rows", "rows"),
        out_shapes=(call.like_queries, rows, rows),
        warps=4,
    )
    output = call.cut(output, plan.queries)
    return output, peak[..., : plan.queries], total[..., : plan.queries]


def _backward_kernels(plan: Plan, *kept: Any):
    arrays, allowed, seed, output, peak, total, gradient = kept
    call = _Call(plan, (plan.queries_back, plan.keys_back), arrays, allowed, seed)
    rest = [(0, 0), (0, 0), (0, call.padded_queries - plan.queries)]
    run = partial(
        call,
        parts=("queries", "all keys", "all keys", "queries", "queries", "rows", "rows"),
        inputs=(
            *call.given,
            *(call.pad(part, call.padded_queries) for part in (gradient, output)),
            jnp.pad(peak, rest),
            jnp.pad(total, rest, constant_values=1.0),
        ),
        warps=max(1, plan.queries_back // 32),
    )
    if call.fills(arrays):
        there = partial(backward_kernel, places=plan.places, heads=plan.heads)
        like = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arrays]
        return tuple(run(there, out_parts=("whole",) * len(arrays), out_shapes=like))
    # Gradients by keys of each block of queries, which are summed here.
    kind = call.like_queries.dtype
    blocks = (call.blocks, *call.shape(call.padded_keys))
    wide = jax.ShapeDtypeStruct(blocks, kind if call.blocks == 1 else jnp.float32)
    by_query, by_key, by_value = run(
        partial(backward_kernel, places=((0, 0), (1, 0), (2, 0)), heads=1),
        out_parts=("queries of one head", "keys of a block", "keys of a block"),
        out_shapes=(call.like_queries, wide, wide),
    )
    by_key, by_value = (
        call.cut(part.sum(axis=0).astype(kind), plan.keys) for part in (by_key, by_value)
    )
    return _joined(plan, arrays, (call.cut(by_query, plan.queries), by_key, by_value))


class _Call:
    """Inputs as the kernels take them, and which part of each belongs to a program."""

    def __init__(
        self,
        plan: Plan,
        block: tuple[int, int],
        arrays: tuple[jax.Array, ...],
        allowed: Any,
        seed: Any,
    ):
        """`block` counts the queries and the keys that a program takes at once."""
        self.plan, self.block = plan, block
        self.own_size = arrays[0].shape[-1]
        self.size = power_of_two(self.own_size)
        self.rows = (arrays[0].shape[0], plan.heads)
        self.blocks = -(-plan.queries // block[0])
        self.padded_queries = self.blocks * block[0]
        self.padded_keys = -(-plan.keys // block[1]) * block[1]
        lengths = (self.padded_queries, self.padded_keys, self.padded_keys)
        self.needed = [0 for _ in arrays]
        for (at, _), length in zip(plan.places, lengths, strict=True):
            self.needed[at] = max(self.needed[at], length)
        padded = [self.pad(*each) for each in zip(arrays, self.needed, strict=True)]
        self.given = tuple(padded[at] for at, _ in plan.places)
        """Queries, keys and values, or the arrays that hold them."""
        self.like_queries = jax.ShapeDtypeStruct(self.shape(self.padded_queries), arrays[0].dtype)
        self.allowed, self.seed = allowed, seed
        if allowed is not None:
            rest = self.padded_keys - plan.keys
            self.allowed = jnp.pad(allowed, [(0, 0), (0, 0), (0, rest)]).astype(jnp.int32)

    def fills(self, arrays: tuple[jax.Array, ...]) -> bool:
        """Whether programs of the way back can write gradients where they stand in those of
        `arrays`: each has all queries, nothing is filled up, and no head belongs to others."""
        heads = self.plan.heads
        firsts = [sorted(first for at, first in self.plan.places if at == n) for n in range(3)]
        return self.blocks == 1 and all(
            array.shape[1:] == (length, heads * len(own), self.size)
            and own == [heads * part for part in range(len(own))]
            for array, length, own in zip(arrays, self.needed, firsts, strict=False)
        )

    def pad(self, part: jax.Array, length: int) -> jax.Array:
        """With zeros, to whole blocks and a size that Triton's products take."""
        rest = (length - part.shape[1], self.size - part.shape[3])
        return jnp.pad(part, [(0, 0), (0, rest[0]), (0, 0), (0, rest[1])])

    def cut(self, part: jax.Array, length: int) -> jax.Array:
        return part[:, :length, :, : self.own_size]

    def shape(self, length: int) -> tuple[int, int, int, int]:
        """Of queries, keys or values alone."""
        return (self.rows[0], length, self.rows[1], self.size)

    def __call__(
        self,
        kernel: Callable[..., None],
        *,
        parts: tuple[str, ...],
        inputs: tuple[jax.Array, ...],
        out_parts: tuple[str, ...],
        out_shapes: Any,
        warps: int,
    ) -> Any:
        """A program for each sample, head, and block of queries."""
        plan, heads = self.plan, self.rows[1]
        firsts = [first for _, first in plan.places] + [0] * (len(parts) - len(plan.places))
        specs, arrays = list(map(self._spec, parts, firsts)), list(inputs)
        given = []
        if self.allowed is not None:
            of_heads = self.allowed.shape[1] > 1
            specs.append(
                pl.BlockSpec(
                    (None, None, self.padded_keys),
                    lambda row, _: (row // heads, row % heads if of_heads else 0, 0),
                )
            )
            arrays.append(self.allowed)
            given.append("allowed")
        if self.seed is not None:
            specs.append(pl.BlockSpec((2,), lambda row, _: (0,)))
            arrays.append(self.seed)
            given.append("seed")

        def body(*refs: Any) -> None:
            inside, outside = refs[: len(arrays)], refs[len(arrays) :]
            extra = dict(zip(given, inside[len(parts) :], strict=True))
            here = (pl.program_id(0), pl.program_id(1))
            kernel(Scores(plan, *here, **extra), *inside[: len(parts)], *outside)

        return pl.pallas_call(
            body,
            out_shape=list(out_shapes),
            grid=(math.prod(self.rows), self.blocks),
            in_specs=specs,
            out_specs=[
                self._spec(part, like=like)
                for part, like in zip(out_parts, out_shapes, strict=True)
            ],
            interpret=plan.interpret,
            compiler_params=triton.CompilerParams(num_warps=warps, num_stages=2),
            name=getattr(kernel, "func", kernel).__name__,
        )(*arrays)

    def _spec(self, part: str, first: int = 0, like: Any = None) -> pl.BlockSpec:
        """`first`: where the heads begin in the array, which is as `like` says."""
        heads, size = self.rows[1], self.size
        if part == "whole":
            return pl.BlockSpec((None, *like.shape[1:]), lambda row, _: (row // heads, 0, 0, 0))
        if part == "rows":
            return pl.BlockSpec(
                (None, None, self.block[0]), lambda row, block: (row // heads, row % heads, block)
            )
        if part == "queries":
            return pl.BlockSpec(
                (None, self.block[0], None, size),
                lambda row, block: (row // heads, block, first + row % heads, 0),
            )
        if part == "all keys":
            return pl.BlockSpec(
                (None, self.padded_keys, None, size),
                lambda row, block: (row // heads, 0, first + row % heads, 0),
            )
        if part == "queries of one head":
            return pl.BlockSpec(
                (None, self.block[0], 1, size),
                lambda row, block: (row // heads, block, row % heads, 0),
            )
        assert part == "keys of a block"
        return pl.BlockSpec(
            (None, None, self.padded_keys, 1, size),
            lambda row, block: (block, row // heads, 0, row % heads, 0),
        )
