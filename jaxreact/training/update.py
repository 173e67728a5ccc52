"""One update of all parameters."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxreact.training.codebook import Metrics
from jaxreact.training.optimizer import Trainable, trainable_mask
from jaxreact.variables import JOINED, axes_of_one

Tree = Any

NORMS = ("gradients", "parameters", "updates")


def updated(
    optimizer: optax.GradientTransformation,
    trainable: Trainable,
    gradients: Tree,
    opt_state: Tree,
    params: Tree,
) -> tuple[Tree, Tree, Metrics]:
    """New parameters, the optimizer's new state, and norms of gradients, parameters and updates.

    A parameter that is not trained gets no update and no decay. `optimizer` is asked for each
    parameter by itself: those of one shape share one function, which is traced and compiled once.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(params)
    trained = jax.tree.leaves(trainable_mask(params, trainable))

    def is_like_params(node: Tree) -> bool:
        return jax.tree.structure(node) == structure

    def alone(number: int, tree: Tree) -> Tree:
        """One leaf of each part of a tree that is like the parameters, and all of the others."""
        name = JOINED if _is_joined(*leaves[number]) else "alone"

        def pick(node: Tree) -> Tree:
            return {name: jax.tree.leaves(node)[number]} if is_like_params(node) else node

        return jax.tree.map(pick, tree, is_leaf=is_like_params)

    def together(like: Tree, *parts: Tree) -> Tree:
        def join(node: Tree, *alone: Tree) -> Tree:
            if not is_like_params(node):
                return alone[0]
            return structure.unflatten([leaf for part in alone for leaf in part.values()])

        return jax.tree.map(join, like, *parts, is_leaf=is_like_params)

    moved = [
        _updated_leaf(optimizer, use, *alone(number, (gradients, opt_state, params)))
        for number, use in enumerate(trained)
    ]
    new_params, new_state, squares = zip(*moved, strict=True)
    norms = jnp.sqrt(sum(squares[1:], squares[0]))
    named = {f"norm/{name}": norm for name, norm in zip(NORMS, norms, strict=True)}
    return together(params, *new_params), together(opt_state, *new_state), named


def _is_joined(path: tuple[Any, ...], leaf: Any) -> bool:
    return axes_of_one(path, leaf) < leaf.ndim


@partial(jax.jit, static_argnames=("optimizer", "trained"))
def _updated_leaf(
    optimizer: optax.GradientTransformation,
    trained: bool,
    gradient: Tree,
    opt_state: Tree,
    param: Tree,
) -> tuple[Tree, Tree, Float[Array, "norms"]]:
    """The same for a tree of one leaf; of the norms the squares."""
    if not trained:
        gradient = jax.tree.map(jnp.zeros_like, gradient)
    update, opt_state = optimizer.update(gradient, opt_state, param)
    if not trained:
        update = jax.tree.map(jnp.zeros_like, update)
    param = optax.apply_updates(param, update)
    parts = (gradient, param, update)
    squares = [optax.tree_utils.tree_norm(part, squared=True) for part in parts]
    return param, opt_state, jnp.stack(squares)
