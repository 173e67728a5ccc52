"""Transformer layers as torch.nn has them by default: normalised after the sum (Vaswani et al.
2017), ReLU, and one matrix for queries, keys and values.

Names of weights follow torch's, but `ln_` for norms and `ff_` for the two linear layers.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxreact.nn.attend import Mask
from jaxreact.nn.attention import Linear, attend, layer_norm
from jaxreact.nn.dropout import Seed, dropout, split
from jaxreact.nn.uniform import kernel_init, uniform_linear


class MultiHeadAttention(nnx.Module):
    """torch.nn.MultiheadAttention of one width: its biases begin as zeros."""

    def __init__(self, features: int, heads: int, rate: float, *, rngs: nnx.Rngs):
        xavier = nnx.initializers.xavier_uniform()
        self.in_proj = Linear(features, 3 * features, kernel_init=xavier, rngs=rngs)
        self.out_proj = Linear(features, features, kernel_init=kernel_init, rngs=rngs)
        self.heads, self.rate = heads, rate

    def __call__(
        self,
        x: Float[Array, "batch queries features"],
        memory: Float[Array, "batch keys features"],
        mask: Mask = None,
        causal: bool = False,
        seed: Seed = None,
    ) -> Float[Array, "batch queries features"]:
        """What x (queries) finds in the memory. True in `mask` is attended; of a `causal` one,
        queries are the last positions of the memory and see none after theirs."""
        assert self.in_proj.bias is not None
        kernel, bias = self.in_proj.kernel[...], self.in_proj.bias[...]
        width = kernel.shape[0]
        query = x.astype(kernel.dtype) @ kernel[:, :width] + bias[:width]
        keys = memory.astype(kernel.dtype) @ kernel[:, width:] + bias[width:]
        key, value = jnp.split(keys, 2, axis=-1)
        patch = 1 if causal else None
        found = attend(query, key, value, mask, self.heads, self.rate, seed, patch=patch)
        return self.out_proj(found)


class FeedForward(nnx.Module):
    """The layer's last part before its norm."""

    def __init__(self, features: int, inner: int, rate: float, *, rngs: nnx.Rngs):
        self.ff_1 = uniform_linear(features, inner, rngs)
        self.ff_2 = uniform_linear(inner, features, rngs)
        self.rate = rate

    def __call__(self, x: jax.Array, seed: Seed = None) -> jax.Array:
        first, second = split(seed, 2)
        inner = dropout(jax.nn.relu(self.ff_1(x)), self.rate, first)
        return dropout(self.ff_2(inner), self.rate, second)


class EncoderLayer(nnx.Module):
    """x = norm(x + attention(x)); x = norm(x + feed_forward(x))."""

    def __init__(self, features: int, heads: int, inner: int, rate: float, *, rngs: nnx.Rngs):
        self.self_attn = MultiHeadAttention(features, heads, rate, rngs=rngs)
        self.feed_forward = FeedForward(features, inner, rate, rngs=rngs)
        self.ln_1, self.ln_2 = (layer_norm(features, True, rngs) for _ in range(2))
        self.rate = rate

    def __call__(
        self,
        x: Float[Array, "batch queries features"],
        among: Float[Array, "batch keys features"],
        mask: Mask = None,
        seed: Seed = None,
    ) -> Float[Array, "batch queries features"]:
        """The outputs of the positions x among all positions, of which x are some."""
        weights, output, inner = split(seed, 3)
        attended = self.self_attn(x, among, mask, seed=weights)
        x = self.ln_1(x + dropout(attended, self.rate, output))
        return self.ln_2(x + self.feed_forward(x, inner))


class DecoderLayer(nnx.Module):
    """Self-attention, cross-attention to a memory, feed-forward: each added, then normed.

    `causal`: positions see none after theirs.
    """

    def __init__(
        self,
        features: int,
        heads: int,
        inner: int,
        rate: float,
        *,
        causal: bool = True,
        rngs: nnx.Rngs,
    ):
        self.self_attn = MultiHeadAttention(features, heads, rate, rngs=rngs)
        self.multihead_attn = MultiHeadAttention(features, heads, rate, rngs=rngs)
        self.feed_forward = FeedForward(features, inner, rate, rngs=rngs)
        self.ln_1, self.ln_2, self.ln_3 = (layer_norm(features, True, rngs) for _ in range(3))
        self.rate, self.causal = rate, causal

    def __call__(
        self,
        x: Float[Array, "batch queries features"],
        among: Float[Array, "batch positions features"],
        memory: Float[Array, "batch keys features"],
        mask: Bool[Array, "batch positions"] | None = None,
        memory_mask: Bool[Array, "batch keys"] | None = None,
        seed: Seed = None,
    ) -> Float[Array, "batch queries features"]:
        """The outputs of the positions x, which are the last ones of `among` (or all).

        `mask` is of the positions, `memory_mask` of the memory; True is attended.
        """
        own, own_out, cross, cross_out, inner = split(seed, 5)
        attended = self.self_attn(x, among, mask, causal=self.causal, seed=own)
        x = self.ln_1(x + dropout(attended, self.rate, own_out))
        found = self.multihead_attn(x, memory, memory_mask, seed=cross)
        x = self.ln_2(x + dropout(found, self.rate, cross_out))
        return self.ln_3(x + self.feed_forward(x, inner))
