"""The reaction's latent: a Gaussian that the frames' tokens say the mean and deviation of."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.attend import Mask
from jaxreact.nn.dropout import Seed
from jaxreact.nn.post_norm import EncoderLayer
from jaxreact.nn.uniform import uniform_linear
from jaxreact.systems.trans_vae.config import TransVAEConfig


class Gaussian(NamedTuple):
    """A distribution for each row; float32."""

    mean: Float[Array, "*rows features"]
    deviation: Float[Array, "*rows features"]

    def at(self, noise: Float[Array, "*rows features"]) -> Float[Array, "*rows features"]:
        """The sample that standard normal noise stands for."""
        return self.mean + self.deviation * noise


class LatentEncoder(nnx.Module):
    """Two learnt vectors look at all frames: what they become are mean and log variance.

    Frames have no positions: their order does not matter (behaviour B7).
    """

    def __init__(self, config: TransVAEConfig, *, rngs: nnx.Rngs):
        n = config.features
        self.linear = uniform_linear(n, n, rngs)
        self.mu_token = nnx.Param(jax.random.normal(rngs.params(), (n,)))
        self.logvar_token = nnx.Param(jax.random.normal(rngs.params(), (n,)))
        self.seqTransEncoder = EncoderLayer(n, config.heads, 2 * n, config.dropout, rngs=rngs)

    def __call__(
        self, tokens: Float[Array, "batch time features"], mask: Mask = None, seed: Seed = None
    ) -> Gaussian:
        """The distribution; frames that are False in `mask` are not looked at."""
        x = self.linear(tokens)
        learnt = jnp.stack([self.mu_token[...], self.logvar_token[...]]).astype(x.dtype)
        learnt = jnp.broadcast_to(learnt, (x.shape[0], *learnt.shape))
        mask = None if mask is None else jnp.pad(mask, ((0, 0), (2, 0)), constant_values=True)
        # No other output is used, so that no other is computed.
        rows = self.seqTransEncoder(learnt, jnp.concatenate([learnt, x], axis=1), mask, seed)
        mean, log_variance = (rows[:, i].astype(jnp.float32) for i in range(2))
        return Gaussian(mean, jnp.exp(0.5 * log_variance))
