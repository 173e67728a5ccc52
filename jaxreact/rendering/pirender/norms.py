"""The generator's two norms and its activation. Statistics are float32 in any case."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.attention import Linear
from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.convolution import INIT_STD, Feature, Shared

EPS = 1e-5
"""Added to a variance before the square root."""

Descriptor = Float[Array, "batch descriptor"]


def activate(x: jax.Array) -> jax.Array:
    """Leaky ReLU of slope 0.1."""
    return jnp.maximum(x, 0.1 * x)


def instance_norm(x: Feature) -> Feature:
    """Each channel of each picture by itself to mean 0 and (biased) variance 1; float32."""
    x = x.astype(jnp.float32)
    x = x - x.mean(axis=(1, 2), keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(axis=(1, 2), keepdims=True) + EPS)


class LayerNorm2d(nnx.Module):
    """Each picture to mean 0 and variance 1 over all its channels and pixels together."""

    def __init__(self, channels: int):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))

    def __call__(self, x: Feature) -> Feature:
        """Scaled and shifted by channel; of the type it was given."""
        wide = x.astype(jnp.float32)
        wide = wide - wide.mean(axis=(1, 2, 3), keepdims=True)
        variance = (wide * wide).mean(axis=(1, 2, 3), keepdims=True)
        wide = wide * (jax.lax.rsqrt(variance + EPS) * self.scale[...]) + self.bias[...]
        return wide.astype(x.dtype)


class ADAIN(nnx.Module):
    """An instance norm whose scale and shift the descriptor gives.

    Source: Huang and Belongie 2017, "Arbitrary style transfer in real-time with adaptive instance
    normalization", arXiv:1703.06868.
    """

    def __init__(self, config: FaceGeneratorConfig, channels: int, *, rngs: nnx.Rngs):
        def linear(inputs: int, outputs: int) -> Linear:
            init = nnx.initializers.normal(INIT_STD)
            return Linear(inputs, outputs, kernel_init=init, rngs=rngs)

        self.mlp_shared = linear(config.descriptor_nc, config.mlp_nc)
        self.mlp_gamma = linear(config.mlp_nc, channels)
        self.mlp_beta = linear(config.mlp_nc, channels)

    def modulate(self, normed: Shared, descriptor: Descriptor) -> Feature:
        """Scales and shifts what `instance_norm` gave; float32."""
        hidden = jax.nn.relu(self.mlp_shared(descriptor))
        gamma, beta = self.mlp_gamma(hidden), self.mlp_beta(hidden)
        return normed * (1 + gamma[:, None, None]) + beta[:, None, None]

    def __call__(self, x: Feature, descriptor: Descriptor) -> Feature:
        """Of the type it was given; computed in float32."""
        return self.modulate(instance_norm(x), descriptor).astype(x.dtype)
