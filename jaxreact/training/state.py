"""The train state: everything that a step changes."""

from typing import Any

import flax.struct
import jax.numpy as jnp
import optax
from flax import nnx

from jaxreact.nn.quantizers import Statistics

Tree = Any


@flax.struct.dataclass
class TrainState:
    """Everything that a step changes; trees are nested plain dicts.

    A pytree: its leaves are arrays, or, in an abstract state, their shapes.
    """

    step: Tree
    """Number of updates made, an int32 scalar."""
    params: Tree
    statistics: Tree
    """A quantiser's running statistics; empty for all but VQ."""
    opt_state: Tree


def split_model(model: nnx.Module) -> tuple[nnx.GraphDef, Tree, Tree]:
    """Graph definition, parameters and statistics of a model, the last two as plain dicts, in the
    form of programs (`jaxreact.variables`)."""
    graph, params, statistics = nnx.split(model, nnx.Param, Statistics)
    return graph, nnx.to_pure_dict(params), nnx.to_pure_dict(statistics)


def join(params: Tree, statistics: Tree) -> Tree:
    """Both kinds of variables in one nested dict, as checkpoints of a model hold them."""
    joined = dict(params)
    for name, value in statistics.items():
        below = joined.get(name)
        joined[name] = join(below, value) if isinstance(below, dict) else value
    return joined


def create_state(
    params: Tree, statistics: Tree, optimizer: optax.GradientTransformation
) -> TrainState:
    """The state before the first step."""
    return TrainState(jnp.zeros((), jnp.int32), params, statistics, optimizer.init(params))
