"""A model's variables: layer by layer, as files hold them, and joined, as programs take them.

    files       {"h": {0: {"ln": {"scale": (n,)}}, 1: {"ln": {"scale": (n,)}}}}
    programs    {"h": {"each": {"ln": {"scale": (2, n)}}}}

Only layers of `jaxreact.nn.layers.Layers` differ. Trees may be of arrays or of their shapes, and
hold other containers than dictionaries, such as an optimizer's state.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

Tree = Any

Variables = dict[str, Any]
"""As files hold them: nested plain dicts of arrays; the numbers of layers are integer keys."""

JOINED = "each"
"""The attribute of `Layers` under which variables have an axis for the layer in front."""


def state_of(model: nnx.Module) -> Tree:
    """A model's variables as programs take them, nested plain dicts."""
    return nnx.to_pure_dict(nnx.state(model))


def variables_of(model: nnx.Module) -> Variables:
    """A model's variables as files hold them, on the host."""
    return one_by_one(jax.tree.map(np.asarray, state_of(model)))


def one_by_one(joined: Tree) -> Tree:
    """From the form of programs to that of files."""

    def cut(node: Any) -> Any:
        if not _is_joined(node):
            return node
        return {
            number: jax.tree.map(lambda leaf, number=number: leaf[number], node[JOINED])
            for number in range(_count(node))
        }

    return jax.tree.map(cut, joined, is_leaf=_is_joined)


def joined(separate: Tree, like: Tree, stack: Callable[[tuple[Any, ...]], Any] = jnp.stack) -> Tree:
    """From the form of files to that of programs, which `like` has.

    Raises ValueError where there are not as many layers.
    """

    def join(node: Any, layers: Any) -> Any:
        if not _is_joined(node):
            return layers
        if set(layers) != set(range(_count(node))):
            raise ValueError(f"layers {sorted(layers)}, {_count(node)} expected")
        ordered = [layers[number] for number in range(_count(node))]
        return {JOINED: jax.tree.map(lambda *leaves: stack(leaves), *ordered)}

    return jax.tree.map(join, like, separate, is_leaf=_is_joined)


def axes_of_one(path: tuple[Any, ...], leaf: Any) -> int:
    """How many axes a variable has in a single layer, given its path in the form of programs."""
    return leaf.ndim - any(getattr(entry, "key", None) == JOINED for entry in path)


def _count(node: Tree) -> int:
    return jax.tree.leaves(node)[0].shape[0]


def _is_joined(node: Any) -> bool:
    return isinstance(node, dict) and set(node) == {JOINED}
