"""The generator's convolutions: channels last, in the type of their kernels.

A kernel is kept as in the checkpoint. `Conv.prepare` rewrites it once for a processor, where that
computes the same in less time (measured in `benchmarks/face_generator.py`).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.rendering.pirender import winograd

INIT_STD = 0.02
"""Deviation of untrained weights (PIRender's own)."""

WINOGRAD_CHANNELS = 64
"""Channels from which `winograd` pays: with fewer, its sums take longer than its products save."""

PARITY = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], np.float32)
"""(parity, 2, 3): which weights of three fall on which of two neighbours, one repeated."""

Feature = Float[Array, "batch height width channels"]
Shared = Float[Array, "#batch height width channels"]
"""One of each picture, or one for all."""
Mapped = Float[Array, "batch height_out width_out channels_out"]


def convolve(
    x: Feature, kernel: jax.Array, padding: tuple[int, int], stride: int = 1, dilation: int = 1
) -> Mapped:
    """XLA's convolution along both axes alike, with zeros around and, `dilation`, between."""
    return jax.lax.conv_general_dilated(
        x.astype(kernel.dtype),
        kernel,
        (stride, stride),
        (padding, padding),
        lhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


class Conv(nnx.Module):
    """A convolution with bias and zeros around: of stride 1 it keeps the size, of 2 it halves."""

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1, *, rngs: nnx.Rngs):
        shape = (side, side, inputs, outputs)
        self.kernel = nnx.Param(INIT_STD * jax.random.normal(rngs.params(), shape))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.stride = stride
        self.padding = (side - stride) // 2

    def partial(self, x: Feature, after: int = 0) -> Mapped:
        """What the channels of x, which lie `after` so many, contribute; without the bias."""
        kernel = self.kernel[...][:, :, after : after + x.shape[-1]]
        padding = (self.padding, self.padding)
        return convolve(x, kernel, padding, self.stride)

    def __call__(self, x: Feature) -> Mapped:
        """Computed in the kernel's type."""
        kernel = self.kernel[...]
        prepared = kernel.ndim == 3
        y = winograd.convolve(x, kernel) if prepared else self.partial(x)
        return y + self.bias[...].astype(y.dtype)

    def prepare(self, dtype: Any, on_processor: bool) -> None:
        """Rewrites the kernel for pictures to come, in place; see `FaceGenerator.prepared`."""
        kernel = self.kernel[...]
        suits = kernel.shape[:2] == (3, 3) and min(kernel.shape[2:]) >= WINOGRAD_CHANNELS
        if suits and on_processor and jnp.dtype(dtype) == jnp.float32:
            kernel = winograd.transform(kernel)
        self.kernel = nnx.Param(kernel.astype(dtype))


class UpConv(Conv):
    """Doubles the size by repeating each pixel, then convolves 3 x 3, at 4/9 of the work.

    A 3 x 3 window on repeated pixels sees 2 x 2 different ones, and which weights of the kernel
    fall on the same pixel depends on the place's parity: four kernels of 2 x 2, one a parity.
    """

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs):
        super().__init__(inputs, outputs, 3, rngs=rngs)

    def __call__(self, x: Feature) -> Mapped:
        """(batch, height, width, inputs) -> (batch, 2 height, 2 width, outputs)."""
        kernel = self.kernel[...]
        if kernel.shape[0] == 3:
            kernel = _by_parity(kernel)
        batch, height, width, _ = x.shape
        y = convolve(x, kernel, (1, 1)).reshape(batch, height + 1, width + 1, 2, 2, -1)
        rows = [
            jnp.stack([y[:, p : p + height, q : q + width, p, q] for q in (0, 1)], axis=3)
            for p in (0, 1)
        ]
        y = jnp.stack(rows, axis=2).reshape(batch, 2 * height, 2 * width, -1)
        return y + self.bias[...].astype(y.dtype)

    def prepare(self, dtype: Any, on_processor: bool) -> None:
        """As `Conv.prepare`, on every device: less work is less work."""
        self.kernel = nnx.Param(_by_parity(self.kernel[...]).astype(dtype))


def _by_parity(
    kernel: Float[Array, "3 3 inputs outputs"],
) -> Float[Array, "2 2 inputs four_outputs"]:
    """The four kernels of `UpConv` side by side: parity of the row, of the column, output."""
    highest = jax.lax.Precision.HIGHEST
    kernel = jnp.einsum("pak,qbl,klio->abipqo", PARITY, PARITY, kernel, precision=highest)
    return kernel.reshape(*kernel.shape[:3], -1)


class TransposedConv(nnx.Module):
    """torch's ConvTranspose2d with 3 x 3 weights, stride 2, padding 1 and output padding 1."""

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs):
        shape = (3, 3, inputs, outputs)
        self.kernel = nnx.Param(INIT_STD * jax.random.normal(rngs.params(), shape))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: Feature) -> Mapped:
        """Twice the size: input pixel i spreads over the outputs 2 i - 1 to 2 i + 1."""
        # What spreads by a kernel gathers by the flipped one, between inputs set two apart.
        kernel = self.kernel[::-1, ::-1]
        y = convolve(x, kernel, (1, 2), dilation=2)
        return y + self.bias[...].astype(y.dtype)

    def prepare(self, dtype: Any, on_processor: bool) -> None:
        """As `Conv.prepare`; there is only the type to change."""
        self.kernel = nnx.Param(self.kernel[...].astype(dtype))
