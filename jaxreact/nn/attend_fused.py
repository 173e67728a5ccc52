"""Attention in one kernel, which writes no scores to memory: for NVIDIA GPUs, by Pallas and Triton.

The same as `jaxreact.nn.attend`, gradients and dropped weights included.
"""

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Array, Float

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

CHOICE = "JAXREACT_FUSED_ATTENTION"
"""Environment variable: `auto` (the default), `on` or `off`."""


def is_usable() -> bool:
    """Whether attention is computed so: on one NVIDIA GPU, Ampere or newer.

    Of several GPUs none would know which part of the kernel is its own, and all would compute all.
    """
    choice = os.environ.get(CHOICE, "auto")
    if choice not in ("auto", "on", "off"):
        raise UserError(f"{CHOICE}={choice}: give auto, on or off")
    if choice != "auto":
        return choice == "on"
    if jax.default_backend() != "gpu" or jax.device_count() > 1:
        return False
    capability = str(getattr(jax.devices()[0], "compute_capability", ""))  # of AMD's "gfx90a"
    major = capability.partition(".")[0]
    return major.isdecimal() and int(major) >= 8


def attend(
    query: Float[Array, "batch queries heads size"],
    key: Float[Array, "batch keys heads size"],
    value: Float[Array, "batch keys heads size"],
    allowed: HeadsMask = None,
    patch: int | None = None,
    rate: float = 0.0,
    seed: Seed = None,
    interpret: bool = False,
) -> Float[Array, "batch queries heads size"]:
    """As `jaxreact.nn.attend.attend`; on a device other than a GPU of NVIDIA's, that."""
    plan = Plan(patch, 0.0 if seed is None else rate, interpret, query.shape[1], key.shape[1])
    return _attend(plan, query, key, value, allowed, seed if plan.rate else None)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _attend(plan: Plan, query: Any, key: Any, value: Any, allowed: Any, seed: Any) -> Any:
    return _forward(plan, query, key, value, allowed, seed)[0]


def _forward(plan: Plan, *inputs: Any) -> Any:
    """Output, and what the way back needs."""
    if plan.interpret:
        output, peak, total = _forward_kernels(plan, *inputs)
    else:
        output, peak, total = jax.lax.platform_dependent(
            *inputs,
            cuda=partial(_forward_kernels, plan),
            default=partial(_forward_written_out, plan),
        )
    output, peak, total = (keep(part) for part in (output, peak, total))
    return output, (*inputs, output, peak, total)


def _backward(plan: Plan, kept: Any, gradient: Any) -> Any:
    if plan.interpret:
        return (*_backward_kernels(plan, *kept, gradient), None, None)
    gradients = jax.lax.platform_dependent(
        *kept,
        gradient,
        cuda=partial(_backward_kernels, plan),
        default=partial(_backward_written_out, plan),
    )
    return (*gradients, None, None)


_attend.defvjp(_forward, _backward)


def _written_out(plan: Plan, allowed: Any, seed: Any) -> Callable[..., Any]:
    return partial(written_out.attend, allowed=allowed, patch=plan.patch, rate=plan.rate, seed=seed)


def _forward_written_out(plan: Plan, query: Any, key: Any, value: Any, allowed: Any, seed: Any):
    output = _written_out(plan, allowed, seed)(query, key, value)
    unused = jnp.zeros((query.shape[0], query.shape[2], query.shape[1]), jnp.float32)
    return output, unused, unused


def _backward_written_out(plan: Plan, *kept: Any):
    query, key, value, allowed, seed, _, _, _, gradient = kept
    return jax.vjp(_written_out(plan, allowed, seed), query, key, value)[1](gradient)


def _forward_kernels(plan: Plan, query: Any, key: Any, value: Any, allowed: Any, seed: Any):
    """Output, and of each row (batch, heads, queries) the largest score and the sum of weights."""
    call = _Call(plan, (plan.query_block, plan.key_block), query, key, value, allowed, seed)
    rows = jax.ShapeDtypeStruct((*call.rows, call.padded_queries), jnp.float32)
    output = jax.ShapeDtypeStruct(call.query.shape, query.dtype)
    output, peak, total = call(
        forward_kernel,
        ("queries", "all keys", "all keys"),
        (call.query, call.key, call.value),
        ("queries", "rows", "rows"),
        (output, rows, rows),
        warps=4,
    )
    return call.cut(output, query), peak[..., : plan.queries], total[..., : plan.queries]


def _backward_kernels(plan: Plan, *kept: Any):
    query, key, value, allowed, seed, output, peak, total, gradient = kept
    call = _Call(plan, (plan.queries_back, plan.keys_back), query, key, value, allowed, seed)
    products = gradient.astype(jnp.float32) * output.astype(jnp.float32)
    shift = jnp.sum(products, axis=-1).swapaxes(1, 2)  # (batch, heads, queries)
    rest = [(0, 0), (0, 0), (0, call.padded_queries - plan.queries)]
    peak, shift = jnp.pad(peak, rest), jnp.pad(shift, rest)
    total = jnp.pad(total, rest, constant_values=1.0)
    gradient = call.pad(gradient, call.padded_queries)
    # Gradients by keys of each block of queries, which are summed here.
    blocks = (call.blocks, *call.key.shape)
    wide = key.dtype if call.blocks == 1 else jnp.float32
    by_query, by_key, by_value = call(
        backward_kernel,
        ("queries", "all keys", "all keys", "queries", "rows", "rows", "rows"),
        (call.query, call.key, call.value, gradient, peak, total, shift),
        ("queries", "keys of a block", "keys of a block"),
        (
            jax.ShapeDtypeStruct(call.query.shape, query.dtype),
            jax.ShapeDtypeStruct(blocks, wide),
            jax.ShapeDtypeStruct(blocks, wide),
        ),
        warps=max(1, plan.queries_back // 32),
    )
    by_key, by_value = (part.sum(axis=0).astype(key.dtype) for part in (by_key, by_value))
    return call.cut(by_query, query), call.cut(by_key, key), call.cut(by_value, value)


class _Call:
    """Inputs as the kernels take them, and which part of each belongs to a program."""

    def __init__(
        self,
        plan: Plan,
        block: tuple[int, int],
        query: Any,
        key: Any,
        value: Any,
        allowed: Any,
        seed: Any,
    ):
        """`block` counts the queries and the keys that a program takes at once."""
        self.plan, self.block = plan, block
        self.size = power_of_two(query.shape[-1])
        self.rows = (query.shape[0], query.shape[2])
        self.blocks = -(-plan.queries // block[0])
        self.padded_queries = self.blocks * block[0]
        self.padded_keys = -(-plan.keys // block[1]) * block[1]
        self.query = self.pad(query, self.padded_queries)
        self.key, self.value = (self.pad(part, self.padded_keys) for part in (key, value))
        self.allowed, self.seed = allowed, seed
        if allowed is not None:
            rest = self.padded_keys - plan.keys
            self.allowed = jnp.pad(allowed, [(0, 0), (0, 0), (0, rest)]).astype(jnp.int32)

    def pad(self, part: jax.Array, length: int) -> jax.Array:
        """With zeros, to whole blocks and a size that Triton's products take."""
        rest = (length - part.shape[1], self.size - part.shape[3])
        return jnp.pad(part, [(0, 0), (0, rest[0]), (0, 0), (0, rest[1])])

    def cut(self, part: jax.Array, like: jax.Array) -> jax.Array:
        return part[:, : like.shape[1], :, : like.shape[3]]

    def __call__(
        self,
        kernel: Callable[..., None],
        parts: tuple[str, ...],
        inputs: tuple[jax.Array, ...],
        out_parts: tuple[str, ...],
        out_shapes: Any,
        warps: int,
    ) -> Any:
        """A program for each sample, head, and block of queries."""
        plan, heads = self.plan, self.rows[1]
        specs, arrays = [self._spec(part) for part in parts], list(inputs)
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
            out_specs=[self._spec(part) for part in out_parts],
            interpret=plan.interpret,
            compiler_params=triton.CompilerParams(num_warps=warps, num_stages=2),
            name=kernel.__name__,
        )(*arrays)

    def _spec(self, part: str) -> pl.BlockSpec:
        heads, size = self.rows[1], self.size
        if part == "rows":
            return pl.BlockSpec(
                (None, None, self.block[0]), lambda row, block: (row // heads, row % heads, block)
            )
        if part == "queries":
            return pl.BlockSpec(
                (None, self.block[0], None, size),
                lambda row, block: (row // heads, block, row % heads, 0),
            )
        if part == "all keys":
            return pl.BlockSpec(
                (None, self.padded_keys, None, size),
                lambda row, block: (row // heads, 0, row % heads, 0),
            )
        assert part == "keys of a block"
        return pl.BlockSpec(
            (None, None, self.padded_keys, None, size),
            lambda row, block: (block, row // heads, 0, row % heads, 0),
        )
