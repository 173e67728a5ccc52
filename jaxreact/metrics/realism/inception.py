"""Inception-v3 as FID knows it: a picture -> 2048 features.

This is the TensorFlow graph of 2015-12-05, not ImageNet's Inception of torchvision: an average pool
does not count its padding, the last block pools by the maximum, and the weights are others. torch-
fidelity, torchmetrics and pytorch-fid compute the same network.

Attribute names follow the torch names, so that conversion is a table. Batch norms are their stored
statistics and nothing else: the network is never trained here.

Source: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision",
arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500, for its use.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, UInt8

SIDE = 299
"""Height and width of the picture that the network sees."""

FEATURES = 2048
"""Features of a picture."""

BATCH_NORM_EPS = 1e-3
"""Added to a variance before the square root; TensorFlow's choice, not torch's 1e-5."""

Feature = Float[Array, "batch height width channels"]
Mapped = Float[Array, "batch height_out width_out channels_out"]


@dataclass(frozen=True)
class InceptionConfig:
    """How pictures come to 299 x 299; the network itself has no choices.

    `antialias`: False resizes as TensorFlow 1 did (torchmetrics before 1.8, torch-fidelity), True
    as torch does with antialias (torchmetrics since 1.8). The scores differ.
    """

    antialias: bool = False


class FrozenBatchNorm(nnx.Module):
    """Batch norm by stored statistics, which are parameters like the others."""

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.Param(jnp.zeros(channels))
        self.var = nnx.Param(jnp.ones(channels))

    def __call__(self, hidden: Feature) -> Feature:
        """The same affine map of every picture's channels."""
        scale = self.scale[...] * jax.lax.rsqrt(self.var[...] + BATCH_NORM_EPS)
        return hidden * scale + (self.bias[...] - self.mean[...] * scale)


class BasicConv2d(nnx.Module):
    """Convolution without bias, batch norm, ReLU.

    With stride 1 the size is kept (odd kernels, zeros around), unless `padding` is "VALID".
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int] = (1, 1),
        stride: int = 1,
        padding: Literal["SAME", "VALID"] = "SAME",
        *,
        rngs: nnx.Rngs,
    ):
        self.conv = nnx.Conv(
            inputs,
            outputs,
            kernel_size=kernel,
            strides=(stride, stride),
            # TensorFlow's strided layers are all without padding.
            padding=padding if stride == 1 else "VALID",
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            precision=jax.lax.Precision.HIGHEST,  # no TF32: the score is compared across machines
            rngs=rngs,
        )
        self.bn = FrozenBatchNorm(outputs)

    def __call__(self, hidden: Feature) -> Mapped:
        """Never negative."""
        return jax.nn.relu(self.bn(self.conv(hidden)))


def _average(hidden: Feature) -> Feature:
    """Mean of the 3 x 3 neighbours that exist: padding is not counted."""
    return nnx.avg_pool(hidden, (3, 3), (1, 1), padding="SAME", count_include_pad=False)


def _maximum(hidden: Feature) -> Feature:
    return nnx.max_pool(hidden, (3, 3), (1, 1), padding="SAME")


def _halve(hidden: Feature) -> Mapped:
    return nnx.max_pool(hidden, (3, 3), (2, 2))


def _join(*branches: jax.Array) -> jax.Array:
    return jnp.concatenate(branches, axis=-1)


class InceptionA(nnx.Module):
    """35 x 35: 1x1, 5x5, two 3x3, pool -> 224 channels and `pooled` more."""

    def __init__(self, inputs: int, pooled: int, *, rngs: nnx.Rngs):
        conv = partial(BasicConv2d, rngs=rngs)
        self.branch1x1 = conv(inputs, 64)
        self.branch5x5_1 = conv(inputs, 48)
        self.branch5x5_2 = conv(48, 64, (5, 5))
        self.branch3x3dbl_1 = conv(inputs, 64)
        self.branch3x3dbl_2 = conv(64, 96, (3, 3))
        self.branch3x3dbl_3 = conv(96, 96, (3, 3))
        self.branch_pool = conv(inputs, pooled)

    def __call__(self, hidden: Feature) -> Mapped:
        return _join(
            self.branch1x1(hidden),
            self.branch5x5_2(self.branch5x5_1(hidden)),
            self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(hidden))),
            self.branch_pool(_average(hidden)),
        )


class InceptionB(nnx.Module):
    """35 x 35 -> 17 x 17: 3x3, two 3x3, pool -> 480 channels more."""

    def __init__(self, inputs: int, *, rngs: nnx.Rngs):
        conv = partial(BasicConv2d, rngs=rngs)
        self.branch3x3 = conv(inputs, 384, (3, 3), 2)
        self.branch3x3dbl_1 = conv(inputs, 64)
        self.branch3x3dbl_2 = conv(64, 96, (3, 3))
        self.branch3x3dbl_3 = conv(96, 96, (3, 3), 2)

    def __call__(self, hidden: Feature) -> Mapped:
        return _join(
            self.branch3x3(hidden),
            self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(hidden))),
            _halve(hidden),
        )


class InceptionC(nnx.Module):
    """17 x 17: 1x1, 7x7 as 1x7 and 7x1 once and twice, pool -> 768 channels."""

    def __init__(self, inputs: int, inner: int, *, rngs: nnx.Rngs):
        conv = partial(BasicConv2d, rngs=rngs)
        self.branch1x1 = conv(inputs, 192)
        self.branch7x7_1 = conv(inputs, inner)
        self.branch7x7_2 = conv(inner, inner, (1, 7))
        self.branch7x7_3 = conv(inner, 192, (7, 1))
        self.branch7x7dbl_1 = conv(inputs, inner)
        self.branch7x7dbl_2 = conv(inner, inner, (7, 1))
        self.branch7x7dbl_3 = conv(inner, inner, (1, 7))
        self.branch7x7dbl_4 = conv(inner, inner, (7, 1))
        self.branch7x7dbl_5 = conv(inner, 192, (1, 7))
        self.branch_pool = conv(inputs, 192)

    def __call__(self, hidden: Feature) -> Mapped:
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(hidden)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(hidden)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return _join(self.branch1x1(hidden), once, twice, self.branch_pool(_average(hidden)))


class InceptionD(nnx.Module):
    """17 x 17 -> 8 x 8: 3x3, 7x7 and 3x3, pool -> 512 channels more."""

    def __init__(self, inputs: int, *, rngs: nnx.Rngs):
        conv = partial(BasicConv2d, rngs=rngs)
        self.branch3x3_1 = conv(inputs, 192)
        self.branch3x3_2 = conv(192, 320, (3, 3), 2)
        self.branch7x7x3_1 = conv(inputs, 192)
        self.branch7x7x3_2 = conv(192, 192, (1, 7))
        self.branch7x7x3_3 = conv(192, 192, (7, 1))
        self.branch7x7x3_4 = conv(192, 192, (3, 3), 2)

    def __call__(self, hidden: Feature) -> Mapped:
        long = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(hidden)))
        return _join(
            self.branch3x3_2(self.branch3x3_1(hidden)), self.branch7x7x3_4(long), _halve(hidden)
        )


class InceptionE(nnx.Module):
    """8 x 8: 1x1, 3x3 and two 3x3 whose last layers lie side by side, pool -> 2048 channels."""

    def __init__(self, inputs: int, pool: Literal["average", "maximum"], *, rngs: nnx.Rngs):
        conv = partial(BasicConv2d, rngs=rngs)
        self.pool = pool
        self.branch1x1 = conv(inputs, 320)
        self.branch3x3_1 = conv(inputs, 384)
        self.branch3x3_2a = conv(384, 384, (1, 3))
        self.branch3x3_2b = conv(384, 384, (3, 1))
        self.branch3x3dbl_1 = conv(inputs, 448)
        self.branch3x3dbl_2 = conv(448, 384, (3, 3))
        self.branch3x3dbl_3a = conv(384, 384, (1, 3))
        self.branch3x3dbl_3b = conv(384, 384, (3, 1))
        self.branch_pool = conv(inputs, 192)

    def __call__(self, hidden: Feature) -> Mapped:
        once = self.branch3x3_1(hidden)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(hidden))
        pooled = _average(hidden) if self.pool == "average" else _maximum(hidden)
        return _join(
            self.branch1x1(hidden),
            self.branch3x3_2a(once),
            self.branch3x3_2b(once),
            self.branch3x3dbl_3a(twice),
            self.branch3x3dbl_3b(twice),
            self.branch_pool(pooled),
        )


class Inception(nnx.Module):
    """Pictures -> the features before the class scores, which FID compares."""

    def __init__(self, config: InceptionConfig, *, rngs: nnx.Rngs):
        self.config = config
        conv = partial(BasicConv2d, rngs=rngs)
        self.Conv2d_1a_3x3 = conv(3, 32, (3, 3), 2)
        self.Conv2d_2a_3x3 = conv(32, 32, (3, 3), padding="VALID")
        self.Conv2d_2b_3x3 = conv(32, 64, (3, 3))
        self.Conv2d_3b_1x1 = conv(64, 80)
        self.Conv2d_4a_3x3 = conv(80, 192, (3, 3), padding="VALID")
        self.Mixed_5b = InceptionA(192, 32, rngs=rngs)
        self.Mixed_5c = InceptionA(256, 64, rngs=rngs)
        self.Mixed_5d = InceptionA(288, 64, rngs=rngs)
        self.Mixed_6a = InceptionB(288, rngs=rngs)
        self.Mixed_6b = InceptionC(768, 128, rngs=rngs)
        self.Mixed_6c = InceptionC(768, 160, rngs=rngs)
        self.Mixed_6d = InceptionC(768, 160, rngs=rngs)
        self.Mixed_6e = InceptionC(768, 192, rngs=rngs)
        self.Mixed_7a = InceptionD(768, rngs=rngs)
        self.Mixed_7b = InceptionE(1280, "average", rngs=rngs)
        self.Mixed_7c = InceptionE(2048, "maximum", rngs=rngs)

    def features(self, pictures: Float[Array, "batch 299 299 3"]) -> Float[Array, "batch 2048"]:
        """Features of pictures that `prepare` made; float32."""
        hidden = self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(pictures))
        hidden = _halve(self.Conv2d_2b_3x3(hidden))
        hidden = _halve(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(hidden)))
        hidden = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(hidden)))
        hidden = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(hidden)))
        hidden = self.Mixed_6e(self.Mixed_6d(hidden))
        hidden = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(hidden)))
        return hidden.mean(axis=(1, 2))

    def __call__(self, images: UInt8[Array, "batch height width 3"]) -> Float[Array, "batch 2048"]:
        """Features of RGB images of any size, 0 to 255; float32."""
        return self.features(prepare(images, self.config.antialias))


def prepare(
    images: UInt8[Array, "batch height width 3"], antialias: bool = False
) -> Float[Array, "batch 299 299 3"]:
    """RGB images -> what the network sees: resized to 299 x 299, and [0, 255] to [-1, 127/128].

    `antialias` as in `InceptionConfig`; True also centres the pixels, which False does not.
    """
    pixels = images.astype(jnp.float32)
    if antialias:
        shape = (len(images), SIDE, SIDE, 3)
        pixels = jax.image.resize(pixels, shape, "linear", antialias=True)
    else:
        pixels = _resize_as_tensorflow_1(_resize_as_tensorflow_1(pixels, axis=2), axis=1)
    return (pixels - 128) / 128


def _resize_as_tensorflow_1(pixels: jax.Array, axis: int) -> jax.Array:
    """Bilinear along one axis; pixel k of the result lies at k * in / 299, the last repeats."""
    length = pixels.shape[axis]
    # float32 like TensorFlow's: where a place falls onto a pixel depends on its rounding.
    place = np.arange(SIDE, dtype=np.float32) * np.float32(length / SIDE)
    low = place.astype(np.int32)
    high = np.minimum(low + 1, length - 1)
    share = np.expand_dims(place - low.astype(np.float32), tuple(range(1, 4 - axis)))
    below, above = (jnp.take(pixels, index, axis) for index in (low, high))
    return below + (above - below) * share
