"""Convolutions over time that halve or double the steps, each with its norm."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.batch_norm import BatchNorm
from jaxreact.nn.pooling import pool
from jaxreact.nn.uniform import within
from jaxreact.systems.learning2listen.config import STAGES, Padding

_WIDTH = 5
BESIDE = _WIDTH // 2
"""Steps on either side that an output depends on."""

Norms = dict[Any, Any]
"""New running statistics of norms, by where they stand; empty unless training."""


class Convolution(nnx.Module):
    """Over 5 steps; what is beyond an end as `padding` says."""

    def __init__(
        self, inputs: int, outputs: int, padding: Padding, stride: int = 1, *, rngs: nnx.Rngs
    ):
        start = within((inputs * _WIDTH) ** -0.5)
        self.kernel = nnx.Param(start(rngs.params(), (_WIDTH, inputs, outputs)))
        self.bias = nnx.Param(start(rngs.params(), (outputs,)))
        self.mode = {"replicate": "edge", "zeros": "constant"}[padding]
        self.stride = stride

    def __call__(self, x: Float[Array, "batch time inputs"]) -> Float[Array, "batch fewer outputs"]:
        kernel = self.kernel[...]
        x = jnp.pad(x, ((0, 0), (BESIDE, BESIDE), (0, 0)), mode=self.mode)
        return _convolved(x.astype(kernel.dtype), kernel, self.stride) + self.bias[...]


class Doubling(nnx.Module):
    """A transposed convolution of 5 steps and stride 2: twice the steps.

    Beyond the ends it sees nothing, whatever the padding of others (behaviour L5).
    """

    def __init__(self, inputs: int, outputs: int, *, rngs: nnx.Rngs):
        start = within((outputs * _WIDTH) ** -0.5)  # as torch counts what goes in
        self.kernel = nnx.Param(start(rngs.params(), (_WIDTH, inputs, outputs)))
        self.bias = nnx.Param(start(rngs.params(), (outputs,)))

    def __call__(self, x: Float[Array, "batch time inputs"]) -> Float[Array, "batch twice outputs"]:
        kernel = self.kernel[...]
        # What two neighbouring outputs take of a step, of the one before it and of the one after.
        first, second = kernel[::-2], kernel[-2::-2]
        pairs = jnp.concatenate([first, jnp.pad(second, ((1, 0), (0, 0), (0, 0)))], axis=-1)
        x = jnp.pad(x, ((0, 0), (1, 1), (0, 0)))
        made = _convolved(x.astype(kernel.dtype), pairs)
        return made.reshape(len(x), -1, kernel.shape[-1]) + self.bias[...]


def _convolved(
    x: Float[Array, "batch time inputs"],
    kernel: Float[Array, "width inputs outputs"],
    stride: int = 1,
) -> Float[Array, "batch fewer outputs"]:
    """As one product of matrices, in which a row is what an output depends on.

    On a processor the compiler's own convolutions take several times as long.
    """
    width, _, outputs = kernel.shape
    last = x.shape[1] - width
    seen = [x[:, place : place + last + 1 : stride] for place in range(width)]
    rows = jnp.concatenate(seen, axis=-1)  # (batch, fewer, width inputs)
    made = rows.reshape(-1, rows.shape[-1]) @ kernel.reshape(-1, outputs)
    return made.reshape(*rows.shape[:2], outputs)


class Stage(nnx.Module):
    """A convolution, a leaky ReLU and a norm, after which the number of steps may change."""

    def __init__(
        self,
        conv: Convolution | Doubling,
        features: int,
        resize: Callable[[jax.Array], jax.Array] | None = None,
    ):
        self.conv = conv
        self.batch_norm = BatchNorm(features)
        self.resize = resize

    def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, Norms]:
        x = jax.nn.leaky_relu(self.conv(x), 0.2)
        norms: Norms = {}
        if train:
            x, norms["batch_norm"] = self.batch_norm.of_batch(x)
        else:
            x = self.batch_norm(x)
        return (x if self.resize is None else self.resize(x)), norms


def halvings(inputs: int, features: int, padding: Padding, rngs: nnx.Rngs) -> nnx.List:
    """Stages after which there are an eighth of the steps: by a stride, then by pooling."""
    first = Stage(Convolution(inputs, features, padding, 2, rngs=rngs), features)
    others = [
        Stage(Convolution(features, features, padding, rngs=rngs), features, _halved)
        for _ in range(STAGES - 1)
    ]
    return nnx.List([first, *others])


def doublings(features: int, padding: Padding, rngs: nnx.Rngs) -> nnx.List:
    """Stages after which there are eight times the steps, each of the last ones four times."""
    first = Stage(Doubling(features, features, rngs=rngs), features)
    others = [
        Stage(Convolution(features, features, padding, rngs=rngs), features, _doubled)
        for _ in range(STAGES - 1)
    ]
    return nnx.List([first, *others])


def through_stages(
    stages: Sequence[Stage], x: jax.Array, train: bool = False
) -> tuple[jax.Array, Norms]:
    """All stages one after the other; in training by the batch's statistics, and the new ones."""
    norms: Norms = {}
    for number, stage in enumerate(stages):
        x, norms[number] = stage(x, train)
    return x, norms if train else {}


def _halved(x: jax.Array) -> jax.Array:
    return pool(x, 2)


def _doubled(x: jax.Array) -> jax.Array:
    return jnp.repeat(x, 2, axis=1)
