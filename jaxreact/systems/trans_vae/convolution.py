"""Convolutions of pictures whose gradients a processor is quick at.

XLA brings a convolution into the form that a processor has a program for, but not within loops:
there the kernel's gradient takes a hundred times as long, so that it is written here in that form.
The pictures' gradient of strided convolutions counts what is spread out between with zeros, four
times as much as there is: of squares of pixels it does not. Both are computed of few frames at a
time, which is quicker a frame, and takes less memory. The numbers are those of XLA's own gradients
but for the order in which they are summed.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_AT_ONCE = 16
"""Frames that are computed at once, at most."""
_CHANNELS = 4
"""Of pictures with three a processor is half as quick."""
_LARGE = 3
"""Sides of kernels up to which the zeros between cost less than the way around them."""

Pictures = Float[Array, "_ _ _ _"]
"""(frames, height, width, channels)"""
Kernel = Float[Array, "_ _ _ _"]
"""(side, side, inputs, outputs)"""


def convolved(
    pictures: Pictures, kernel: Kernel, stride: int, pad: int, *, only_kernel: bool = False
) -> Pictures:
    """Pictures, `pad` zeros around them, seen by a kernel in steps of `stride`. `only_kernel`: no
    gradient is wanted of the pictures."""
    if only_kernel:
        pictures = jax.lax.stop_gradient(pictures)
    if jax.default_backend() != "cpu":
        return _plain(pictures, kernel, stride, pad)
    missing = -kernel.shape[2] % _CHANNELS
    pictures = jnp.pad(pictures, ((0, 0),) * 3 + ((0, missing),))
    kernel = jnp.pad(kernel, ((0, 0), (0, 0), (0, missing), (0, 0)))
    return _convolved(pictures, kernel, stride, pad, only_kernel)


def _plain(pictures: Pictures, kernel: Kernel, stride: int, pad: int) -> Pictures:
    return _form(pictures, kernel, window_strides=(stride, stride), padding=((pad, pad),) * 2)


_form = partial(jax.lax.conv_general_dilated, dimension_numbers=("NHWC", "HWIO", "NHWC"))
"""The form that a processor has a program for."""


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolved(
    pictures: Pictures, kernel: Kernel, stride: int, pad: int, only_kernel: bool
) -> Pictures:
    made = jax.lax.map(lambda x: _plain(x, kernel, stride, pad), _cut(pictures))
    return made.reshape(-1, *made.shape[2:])


def _cut(pictures: Pictures) -> Float[Array, "parts few height width channels"]:
    """Few frames at a time."""
    frames = len(pictures)
    parts = next(n for n in range(1, frames + 1) if frames % n == 0 and frames // n <= _AT_ONCE)
    return pictures.reshape(parts, -1, *pictures.shape[1:])


def _forward(
    pictures: Pictures, kernel: Kernel, stride: int, pad: int, only_kernel: bool
) -> tuple[Pictures, tuple[Pictures, Kernel]]:
    made: Pictures = _convolved(pictures, kernel, stride, pad, only_kernel)  # pyright: ignore
    return made, (pictures, kernel)


def _backward(
    stride: int, pad: int, only_kernel: bool, kept: tuple[Pictures, Kernel], gradient: Pictures
) -> tuple[Pictures, Kernel]:
    pictures, kernel = kept

    def part(total: Kernel, given: tuple[Pictures, Pictures]) -> tuple[Kernel, Pictures]:
        own = total + _of_kernel(*given, kernel.shape[0], stride, pad)
        if only_kernel:
            return own, jnp.zeros((len(given[0]), 0, 0, 0), pictures.dtype)
        way = _of_squares if kernel.shape[0] > _LARGE else _of_pictures
        return own, way(given[1], kernel, stride, pad, pictures.shape[1:3])

    cut = (_cut(pictures), _cut(gradient))
    of_kernel, of_pictures = jax.lax.scan(part, jnp.zeros_like(kernel), cut)
    if only_kernel:
        return jnp.zeros_like(pictures), of_kernel
    return of_pictures.reshape(pictures.shape), of_kernel


_convolved.defvjp(_forward, _backward)


def _of_kernel(pictures: Pictures, gradient: Pictures, side: int, stride: int, pad: int) -> Kernel:
    """The kernel's gradient: pictures seen by the output's gradient, with frames for channels."""
    found = _form(
        pictures.transpose(3, 1, 2, 0),
        gradient.transpose(1, 2, 0, 3),
        window_strides=(1, 1),
        padding=_seen(pictures.shape[1:3], gradient.shape[1:3], side, stride, pad),
        rhs_dilation=(stride, stride),
    )
    return found.transpose(1, 2, 0, 3)


def _of_pictures(
    gradient: Pictures, kernel: Kernel, stride: int, pad: int, size: Sequence[int]
) -> Pictures:
    """The gradient of pictures of such a size: the output's, seen by the kernel backwards."""
    side = kernel.shape[0]
    seen = _seen(size, gradient.shape[1:3], side, stride, pad)
    return _form(
        gradient,
        kernel[::-1, ::-1].swapaxes(2, 3),
        window_strides=(1, 1),
        padding=[(side - 1 - begin, side - 1 - end) for begin, end in seen],
        lhs_dilation=(stride, stride),
    )


def _of_squares(
    gradient: Pictures, kernel: Kernel, stride: int, pad: int, size: Sequence[int]
) -> Pictures:
    """The same, with `stride` pixels a side taken for channels of one: then nothing is spread."""
    side = -(-kernel.shape[0] // stride)
    missing = side * stride - kernel.shape[0]
    k = jnp.pad(kernel, ((0, missing), (0, missing), (0, 0), (0, 0)))
    k = k.reshape(side, stride, side, stride, *kernel.shape[2:]).swapaxes(1, 2)
    rows, columns = (count - 1 + side for count in gradient.shape[1:3])
    flat = k.reshape(side, side, -1, kernel.shape[3])
    squares = _of_pictures(gradient, flat, 1, 0, (rows, columns))
    x = squares.reshape(len(squares), rows, columns, stride, stride, -1).swapaxes(2, 3)
    x = x.reshape(len(x), rows * stride, columns * stride, -1)
    ends = [pad + length - x.shape[1 + axis] for axis, length in enumerate(size)]
    cuts = [(0, 0, 0), *((-pad, end, 0) for end in ends), (0, 0, 0)]
    return jax.lax.pad(x, jnp.zeros((), x.dtype), cuts)


def _seen(
    size: Sequence[int], counts: Sequence[int], side: int, stride: int, pad: int
) -> list[tuple[int, int]]:
    """Zeros around pictures that a kernel sees so many times along each axis (negative: pixels at
    the end that it never sees)."""
    lengths = zip(size, counts, strict=True)
    return [(pad, (count - 1) * stride + side - length - pad) for length, count in lengths]
