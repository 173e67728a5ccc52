"""Layers one after the other, as one loop of the compiler's, and what is kept for going back."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxreact.nn.attention import Key, split

Step = Callable[[Any, Any, Any], Any]
"""(layer, x, key) -> x, where x may be a tree of arrays."""


class Layers(nnx.Module):
    """Layers that differ in nothing but their weights.

    A program holds one of them, however many there are: it is compiled in a fraction of the time,
    and runs as fast as all of them written out. So their variables are kept joined, those of
    `each` having one more axis, in front, for the layer; files hold them one by one
    (`jaxreact.nn.variables`).
    """

    def __init__(self, layers: Sequence[nnx.Module]):
        graphs, states = zip(*(nnx.split(layer) for layer in layers), strict=True)
        joined = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        self.each = nnx.merge(graphs[0], joined)
        self.count = len(layers)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        """One of them; its variables are copies."""
        if not -self.count <= index < self.count:
            raise IndexError(f"layer {index} of {self.count}")
        graph, state = nnx.split(self.each)
        return nnx.merge(graph, jax.tree.map(lambda leaf: leaf[index], state))

    def __call__(
        self, step: Step, x: Any, key: Key, remat: bool | None, last: Step | None = None
    ) -> Any:
        """`x = step(layer, x, key of the layer)` for all layers, `last` for the last if given.

        With `remat` what a step computes inside is not kept for the backward pass but computed
        again there; with False all is kept. None chooses: on a processor, the results of products
        with weights are kept and the rest is computed again, which takes no longer than to write
        and read it; elsewhere all is kept. Without a key (inference) there is no backward pass.
        """
        keys = split(key, self.count)
        looped = self.count if last is None else self.count - 1
        graph, state = nnx.split(self.each)
        weights = jax.tree.map(lambda leaf: leaf[:looped], state) if last else state
        drawn = None if key is None or not looped else jnp.stack(keys[:looped])

        def body(x: Any, given: Any) -> tuple[Any, None]:
            return step(nnx.merge(graph, given[0]), x, given[1]), None

        wrapped = _rematerialized(remat) if key is not None else None
        looping = wrapped(body) if wrapped else body
        x = jax.lax.scan(looping, x, (weights, drawn), length=looped)[0]
        return x if last is None else last(self[-1], x, keys[-1])


def _rematerialized(remat: bool | None) -> Callable[..., Any] | None:
    """What makes a step forget; None where it keeps all."""
    sparing = remat is None and jax.default_backend() == "cpu"
    if not (remat or sparing):
        return None
    # Of layers written out one after the other, the compiler finds that both passes compute the
    # same, and keeps it after all: it is the loop that makes `jax.checkpoint` save memory on a CPU.
    policy = jax.checkpoint_policies.dots_with_no_batch_dims_saveable if sparing else None
    return partial(jax.checkpoint, prevent_cse=False, policy=policy)
