"""What attention computes, written out: what any device can do, and other forms must equal.

Arrays are (batch, time, heads, size of a head); queries are scaled already.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxreact.nn.dropout import Seed, dropout

MASKED_SCORE = -1e30
"""Score of a key that may not be attended to. Finite on purpose: a row in which every key is masked
then has equal scores and attends uniformly to all of them, as the original does at the first
generation step (behaviour 14), and its gradient stays finite; minus infinity would give NaN."""

Mask = Bool[Array, "batch keys"] | None

HeadsMask = Bool[Array, "batch heads_or_1 keys"] | None
"""A key mask of every sample for all heads or for each."""

QueriesMask = Bool[Array, "batch heads_or_1 queries keys"]
"""A mask that also differs from query to query."""


def heads_mask(mask: Mask, n_head: int, mixed: bool) -> HeadsMask:
    """Key mask of every sample.

    With `mixed`, head h of sample b uses the key mask of sample (b * n_head + h) % batch: the
    original's `mask.repeat` mixes the samples of a batch so (behaviour 13).
    """
    if mask is None:
        return None
    if not mixed:
        return mask[:, None, :]
    batch = mask.shape[0]
    sample = (jnp.arange(batch)[:, None] * n_head + jnp.arange(n_head)) % batch
    return mask[sample]


def later_patches(queries: int, keys: int, patch: int) -> Bool[np.ndarray, "queries keys"]:
    """True where a key stands in a later patch than the query; queries are the last of the keys."""
    number = np.arange(keys) // patch
    return number > number[keys - queries :, None]


def attend(
    query: Float[Array, "batch queries heads size"],
    key: Float[Array, "batch keys heads size"],
    value: Float[Array, "batch keys heads size"],
    allowed: HeadsMask | QueriesMask = None,
    patch: int | None = None,
    rate: float = 0.0,
    seed: Seed = None,
) -> Float[Array, "batch queries heads size"]:
    """Softmax in float32 of the products with the keys; True in `allowed` is attended.

    With `patch`, queries, which are the last positions of the keys, see no later patch than theirs.
    A row without any attended key attends uniformly to all keys (see `MASKED_SCORE`). Weights are
    dropped at `rate` by `seed`.
    """
    query, key, value = (part.swapaxes(1, 2) for part in (query, key, value))  # bhtd
    scores = jnp.matmul(query, key.swapaxes(2, 3), preferred_element_type=jnp.float32)  # bhqk
    if allowed is not None:
        allowed = allowed if allowed.ndim == 4 else allowed[:, :, None, :]
        scores = scores + jnp.where(allowed, 0.0, MASKED_SCORE)
    if patch is not None:
        # Twice, so that later patches stay unseen where all that may be seen is masked.
        later = later_patches(scores.shape[2], scores.shape[3], patch)
        scores = scores + jnp.where(later, 2 * MASKED_SCORE, 0.0)
    # Generation on a CPU takes a fifth less time so than by selecting scores and `jax.nn.softmax`;
    # a training step takes the same either way (benchmarks/layers.py).
    weights = jnp.exp(scores - jax.lax.stop_gradient(scores.max(axis=-1, keepdims=True)))
    total = weights.sum(axis=-1, keepdims=True)
    weights = dropout(weights, rate, seed)
    output = jnp.matmul(weights.astype(value.dtype), value) / total.astype(value.dtype)
    return output.swapaxes(1, 2)  # bqhd
