"""Blocks one after the other, and what of them is kept for the backward pass."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

Step = Callable[[Any, Any, Any], Any]
"""(block, x, key) -> x, where x may be a tree of arrays."""


def apply_blocks(
    blocks: Sequence[nnx.Module], step: Step, x: Any, keys: Sequence[Any], remat: bool | None
) -> Any:
    """`x = step(block, x, key)` for all blocks, which differ in nothing but their weights.

    With `remat` what a step computes inside is not kept for the backward pass but computed again
    there; with False all is kept. None chooses: on a processor, the results of products with
    weights are kept and the rest is computed again, which takes no longer than to write and read
    it; elsewhere all is kept. Without keys (inference) there is no backward pass.
    """
    sparing = remat is None and jax.default_backend() == "cpu"
    if (remat or sparing) and any(key is not None for key in keys):
        policy = jax.checkpoint_policies.dots_with_no_batch_dims_saveable if sparing else None
        return _scanned(blocks, step, x, keys, policy)
    for block, key in zip(blocks, keys, strict=True):
        x = step(block, x, key)
    return x


def _scanned(
    blocks: Sequence[nnx.Module], step: Step, x: Any, keys: Sequence[Any], policy: Any
) -> Any:
    """The same as a loop of the compiler's, which makes the backward pass a loop of its own.

    Without loops the compiler finds that both passes compute the same, and keeps it after all: on
    a CPU `jax.checkpoint` alone saved nothing. A loop is also compiled in a third of the time.
    """
    graphs, states = zip(*(nnx.split(block) for block in blocks), strict=True)
    weights = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)

    @partial(jax.checkpoint, prevent_cse=False, policy=policy)
    def body(x: Any, given: Any) -> tuple[Any, None]:
        return step(nnx.merge(graphs[0], given[0]), x, given[1]), None

    return jax.lax.scan(body, x, (weights, jnp.stack(keys)))[0]
