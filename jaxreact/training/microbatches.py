"""A batch cut into microbatches that are computed one after the other, for less memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxreact.sharding import cut
from jaxreact.training.codebook import Metrics
from jaxreact.training.state import TrainState

Tree = Any


def accumulated(
    gradients_of: Callable[..., tuple[Tree, Metrics, Tree]],
    state: TrainState,
    frozen: Tree,
    batch: Tree,
    key: jax.Array,
    microbatches: int,
) -> tuple[Tree, Metrics, Tree]:
    """Mean gradients and metrics over `microbatches` of the batch, one after the other."""
    if microbatches == 1:
        return gradients_of(state.params, state.statistics, frozen, batch, key)

    def add(carry: tuple[Tree, Tree], part: tuple[Tree, jax.Array]):
        total, statistics = carry
        rows, part_key = part
        gradients, metrics, statistics = gradients_of(
            state.params, statistics, frozen, rows, part_key
        )
        return (jax.tree.map(jnp.add, total, gradients), statistics), metrics

    rows = jax.tree.map(lambda x: cut(x, microbatches), batch)
    start = (jax.tree.map(jnp.zeros_like, state.params), state.statistics)
    (total, statistics), metrics = jax.lax.scan(
        add, start, (rows, jax.random.split(key, microbatches))
    )
    mean = jax.tree.map(lambda x: jnp.mean(x, axis=0), metrics)
    return jax.tree.map(lambda x: x / microbatches, total), mean, statistics
