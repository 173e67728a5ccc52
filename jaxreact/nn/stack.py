"""Blocks one after the other, as one loop of the compiler's, and what is kept for going back."""

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

    The program holds one block, however many there are: it is compiled in a fraction of the time,
    and runs as fast as all of them written out.

    With `remat` what a step computes inside is not kept for the backward pass but computed again
    there; with False all is kept. None chooses: on a processor, the results of products with
    weights are kept and the rest is computed again, which takes no longer than to write and read
    it; elsewhere all is kept. Without keys (inference) there is no backward pass.
    """
    if len(blocks) != len(keys):
        raise ValueError(f"{len(keys)} keys for {len(blocks)} blocks")
    if not blocks:
        return x
    graphs, states = zip(*(nnx.split(block) for block in blocks), strict=True)
    weights = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    drawn = None if keys[0] is None else jnp.stack(keys)

    def body(x: Any, given: Any) -> tuple[Any, None]:
        return step(nnx.merge(graphs[0], given[0]), x, given[1]), None

    wrapped = _rematerialized(remat) if drawn is not None else None
    return jax.lax.scan(wrapped(body) if wrapped else body, x, (weights, drawn))[0]


def _rematerialized(remat: bool | None) -> Callable[..., Any] | None:
    """What makes a step forget; None where it keeps all."""
    sparing = remat is None and jax.default_backend() == "cpu"
    if not (remat or sparing):
        return None
    # Of blocks written out one after the other, the compiler finds that both passes compute the
    # same, and keeps it after all: it is the loop that makes `jax.checkpoint` save memory on a CPU.
    policy = jax.checkpoint_policies.dots_with_no_batch_dims_saveable if sparing else None
    return partial(jax.checkpoint, prevent_cse=False, policy=policy)
