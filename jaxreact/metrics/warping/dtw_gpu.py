"""Dynamic time warping on an NVIDIA GPU, in one kernel by Pallas and Triton: of each pair a thread
compares one block of channels.

A thread keeps some frames of x in its registers, with the cumulated distance that it has reached at
each, and goes along y with them. Of those sums only the last frame's are written, for the strip of
frames that comes next: of a matrix of 750 x 750 at most 94 x 750 numbers are read and written.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Array, Float

from jaxreact.devices import triton_runs
from jaxreact.metrics.warping.dtw import BLOCKS
from jaxreact.metrics.warping.dtw import dtw as by_diagonals

LANES = 32
"""Pairs of a program: one warp, of which no thread needs anything of another's."""
NUMBERS = 128
"""Of x that a thread keeps at most. With what else it needs these are some 215 of the 255 registers
that a thread can have; more would be written to memory."""
LONGEST = 16
"""Frames of a strip at most: each waits for the one before it."""


@partial(jax.jit, static_argnames="interpret")
def dtw(
    first: Float[Array, "pairs t 25"], second: Float[Array, "pairs u 25"], interpret: bool = False
) -> Float[Array, "3 pairs"]:
    """As `jaxreact.metrics.warping.dtw.dtw`; on a device other than a GPU of NVIDIA's, that.

    `interpret` walks through the kernel step by step on any device, for tests.
    """
    if interpret:
        return _by_kernel(first, second, interpret=True)
    if not triton_runs():
        return by_diagonals(first, second)
    return jax.lax.platform_dependent(first, second, cuda=_by_kernel, default=by_diagonals)


def _by_kernel(first: Any, second: Any, interpret: bool = False) -> Any:
    (pairs, length), columns = first.shape[:2], second.shape[1]
    rest = -pairs % LANES
    # (25, T, pairs): what threads of one warp read together lies side by side.
    x = jnp.pad(jnp.transpose(first, (2, 1, 0)), ((0, 0), (0, -length % LONGEST), (0, rest)))
    y = jnp.pad(jnp.transpose(second, (2, 1, 0)), ((0, 0), (0, 0), (0, rest)))

    def body(*refs: Any) -> None:
        for number, block in enumerate(BLOCKS):
            work = partial(_warp, range(*block), length, columns, *refs)
            pl.when(pl.program_id(0) == number)(work)

    def whole(array: jax.Array) -> pl.BlockSpec:
        return pl.BlockSpec((*array.shape[:2], LANES), lambda _, some: (0, 0, some))

    _, total = pl.pallas_call(
        body,
        grid=(len(BLOCKS), (pairs + rest) // LANES),
        in_specs=[whole(x), whole(y)],
        out_specs=[
            pl.BlockSpec((None, columns, LANES), lambda block, some: (block, 0, some)),
            pl.BlockSpec((None, LANES), lambda block, some: (block, some)),
        ],
        out_shape=[
            jax.ShapeDtypeStruct((len(BLOCKS), columns, pairs + rest), jnp.float32),
            jax.ShapeDtypeStruct((len(BLOCKS), pairs + rest), jnp.float32),
        ],
        interpret=interpret,
        compiler_params=triton.CompilerParams(num_warps=1, num_stages=1),
        name="dynamic_time_warping",
    )(x, y)
    return jnp.sqrt(total[:, :pairs])


def _warp(
    channels: range, length: int, columns: int, x: Any, y: Any, frontier: Any, total: Any
) -> None:
    """Of 32 pairs and one block of channels the squared distance; `frontier` (columns, 32) holds
    the sums at the last frame of a strip."""
    frames = min(LONGEST, NUMBERS // len(channels))
    frames = 1 << (frames.bit_length() - 1)
    never = jnp.full(LANES, jnp.inf)

    def strip(number: Any, _: None) -> None:
        own = [[x[c, number * frames + frame] for c in channels] for frame in range(frames)]

        def read(column: Any) -> tuple[list[jax.Array], jax.Array]:
            # Before the first frame all is infinite, and nothing is written yet.
            above = jnp.where(number == 0, never, frontier[column])
            return [y[c, column] for c in channels], above

        def meet(column: Any, carry: Any) -> Any:
            lefts, corner, (here, above) = carry
            # What comes next is on its way while this column is computed.
            ahead = read(jnp.minimum(column + 1, columns - 1))
            reached, sums = above, []
            for frame, left in zip(own, lefts, strict=True):
                cost = sum(jnp.square(a - b) for a, b in zip(frame, here, strict=True))
                reached = cost + jnp.minimum(jnp.minimum(left, reached), corner)
                corner = left
                sums.append(reached)
            frontier[column] = reached
            return sums, above, ahead

        corner = jnp.where(number == 0, jnp.zeros(LANES), never)  # (0, 0) is reached for free
        sums, _, _ = jax.lax.fori_loop(0, columns, meet, ([never] * frames, corner, read(0)))
        total[...] = sums[(length - 1) % frames]  # right of the last strip, which comes last

    jax.lax.fori_loop(0, -(-length // frames), strip, None)
