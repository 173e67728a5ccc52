"""Batch normalisation as torch has it; the train state carries its running statistics."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.quantizers import Statistics

_EPSILON, _MOMENTUM = 1e-5, 0.1


class BatchNorm(nnx.Module):
    """Each channel by its mean and deviation; computed in float32, given back in the type of x.

    Variances are of the batch as it is where they normalise, unbiased where they are kept, as in
    torch.
    """

    def __init__(self, features: int):
        self.scale = nnx.Param(jnp.ones(features))
        self.bias = nnx.Param(jnp.zeros(features))
        self.mean = Statistics(jnp.zeros(features))
        self.var = Statistics(jnp.ones(features))
        self.batches = Statistics(jnp.zeros((), jnp.int32))

    def __call__(self, x: Float[Array, "batch time features"]) -> jax.Array:
        """By the running statistics, as in evaluation."""
        return self._normalised(x, self.mean[...], self.var[...])

    def of_batch(
        self, x: Float[Array, "batch time features"]
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """By the batch's own, and the new values of the `Statistics` by name."""
        wide = x.astype(jnp.float32)
        mean, var = wide.mean((0, 1)), wide.var((0, 1))
        count = x.shape[0] * x.shape[1]
        kept = jax.lax.stop_gradient((mean, var * (count / max(count - 1, 1))))
        moved = {
            name: (1 - _MOMENTUM) * old + _MOMENTUM * new
            for name, old, new in zip(
                ("mean", "var"), (self.mean[...], self.var[...]), kept, strict=True
            )
        }
        return self._normalised(x, mean, var), {**moved, "batches": self.batches[...] + 1}

    def _normalised(self, x: jax.Array, mean: jax.Array, var: jax.Array) -> jax.Array:
        scale = self.scale[...] * jax.lax.rsqrt(var + _EPSILON)
        return ((x.astype(jnp.float32) - mean) * scale + self.bias[...]).astype(x.dtype)
