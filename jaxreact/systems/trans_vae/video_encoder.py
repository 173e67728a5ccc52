"""The speaker's pictures as tokens: convolutions of each picture, norms over all of them.

A norm's statistics are of every frame that is given, for each channel (behaviour B6): online, the
frames of the past are other tokens in each window. What does not depend on them is computed once.
"""

from functools import reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, UInt8

from jaxreact.nn.uniform import kernel_init, uniform_linear
from jaxreact.systems.trans_vae.convolution import convolved

COLOURS = 3
_EPSILON = 1e-5
_AT_ONCE = 16
"""Frames whose first convolution, at half the pictures' size, is held at once."""

Given = Bool[Array, "time"]
"""Which frames are given."""


class Moments(NamedTuple):
    """Of each frame and channel, over the picture; float32."""

    mean: Float[Array, "batch time channels"]
    spread: Float[Array, "batch time channels"]
    """Sum of the squared distances from the mean."""


class Seen(NamedTuple):
    """What is kept of frames: their first convolution, after the pooling but before the norm."""

    pooled: Float[Array, "batch time height width channels"]
    moments: Moments
    """Of the convolution before the pooling."""
    size: Float[Array, ""]
    """Pixels that the moments are of."""


class Convolution(nnx.Module):
    """A convolution of single pictures without a bias."""

    def __init__(
        self, inputs: int, outputs: int, side: int, stride: int, pad: int, *, rngs: nnx.Rngs
    ):
        self.kernel = nnx.Param(kernel_init(rngs.params(), (side, side, inputs, outputs)))
        self.stride, self.pad = stride, pad

    def __call__(self, x: jax.Array) -> jax.Array:
        """(batch, time, height, width, inputs) -> the same with fewer pixels and `outputs`."""
        kernel = self.kernel[...]
        pictures = x.reshape(-1, *x.shape[2:]).astype(kernel.dtype)
        is_first = x.shape[-1] == COLOURS  # pictures of the world are not to be changed
        out = convolved(pictures, kernel, self.stride, self.pad, only_kernel=is_first)
        return out.reshape(*x.shape[:2], *out.shape[1:])


class VideoEncoder(nnx.Module):
    """Five convolutions, each followed by a norm without parameters and a ReLU."""

    def __init__(self, features: int, *, rngs: nnx.Rngs):
        first = features // 4
        self.conv1 = Convolution(COLOURS, first, 7, 2, 3, rngs=rngs)
        self.conv2 = Convolution(first, features, 7, 2, 3, rngs=rngs)
        self.conv3 = Convolution(features, features, 3, 2, 1, rngs=rngs)
        self.conv4 = Convolution(features, features, 3, 1, 1, rngs=rngs)
        self.conv5 = Convolution(features, features, 3, 2, 1, rngs=rngs)
        self.fc = uniform_linear(features, features, rngs)

    def see(
        self,
        video: UInt8[Array, "batch time height width 3"]
        | Float[Array, "batch time height width 3"],
    ) -> Seen:
        """What each picture gives by itself.

        A norm moves and scales a channel, upwards, so that its place and that of the pooling can
        be changed: the pooled pictures are kept, a fifth of the size, and the moments of the whole.
        """
        frames = video.swapaxes(0, 1)

        @jax.checkpoint  # what is as large as the pictures is not kept for the way back
        def one(frame: jax.Array) -> tuple[jax.Array, Moments]:
            seen = self.conv1(scaled(frame[:, None]))
            return pooled(seen[:, 0]), jax.tree.map(lambda x: x[:, 0], moments(seen))

        largest, kept = jax.lax.map(one, frames, batch_size=_AT_ONCE)
        height, width = ((side + 1) // 2 for side in video.shape[2:4])
        kept = jax.tree.map(lambda x: x.swapaxes(0, 1), kept)
        return Seen(largest.swapaxes(0, 1), kept, jnp.float32(height * width))

    def __call__(
        self, seen: Seen, given: Given | None = None
    ) -> Float[Array, "batch time features"]:
        """Tokens of the frames; those that are not `given` count in no norm, and their own tokens
        mean nothing."""
        kernel = self.conv2.kernel[...]
        x = normed(seen.pooled, seen.moments, seen.size, given).astype(kernel.dtype)
        for conv in (self.conv2, self.conv3):
            x = _normed(conv(x), given)
        x = x + _normed(self.conv4(x), given)
        x = _normed(self.conv5(x), given)
        return self.fc(x.mean((2, 3)))


def pooled(
    x: Float[Array, "batch height width channels"],
) -> Float[Array, "batch lower narrower channels"]:
    """The maximum of each three by three pixels, every second of them.

    In pairs: a processor takes four times as long for the gradient of a window's maximum.
    """
    for axis in (1, 2):
        count = (x.shape[axis] - 3) // 2 + 1
        parts = (jax.lax.slice_in_dim(x, k, k + 2 * count - 1, 2, axis) for k in range(3))
        x = reduce(jnp.maximum, parts)
    return x


def scaled(video: jax.Array) -> Float[Array, "*shape"]:
    """Bytes in [-1, 1]; numbers that are no bytes are taken to be there."""
    return (video / jnp.float32(255) - 0.5) / 0.5 if video.dtype == jnp.uint8 else video


def moments(x: Float[Array, "batch time height width channels"]) -> Moments:
    """Of each frame and channel."""
    wide = x.astype(jnp.float32)
    mean = wide.mean((2, 3))
    return Moments(mean, jnp.square(wide - mean[:, :, None, None]).sum((2, 3)))


def normed(
    x: Float[Array, "batch time height width channels"],
    of_frames: Moments,
    size: int | Float[Array, ""],
    given: Given | None,
) -> Float[Array, "batch time height width channels"]:
    """ReLU of x, moved and scaled by the moments of all frames given, `size` pixels each.

    The spread of all is that within the frames and that of their means (Chan et al. 1979), which
    loses no digits as a difference of squares would.
    """
    counted = jnp.ones(x.shape[1]) if given is None else given.astype(jnp.float32)
    number, counted = counted.sum(), counted[:, None]
    mean = (of_frames.mean * counted).sum(1, keepdims=True) / number
    between = size * jnp.square(of_frames.mean - mean)
    spread = ((of_frames.spread + between) * counted).sum(1, keepdims=True)
    scale = jax.lax.rsqrt(spread / (number * size) + _EPSILON)
    mean, scale = (part[:, :, None, None] for part in (mean, scale))
    return jax.nn.relu((x.astype(jnp.float32) - mean) * scale)


def _normed(x: jax.Array, given: Given | None) -> jax.Array:
    return normed(x, moments(x), x.shape[2] * x.shape[3], given).astype(x.dtype)
