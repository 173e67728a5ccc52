"""Layers one after the other, as one loop of the compiler's, and what is kept for going back."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, UInt32

from jaxreact.nn.dropout import Seed, hashed_bits

Step = Callable[..., Any]
"""(layer, x, seed, *given) -> x, where x may be a tree of arrays."""

_KEPT = "kept for the backward pass"
_SPARING = jax.checkpoint_policies.save_from_both_policies(
    jax.checkpoint_policies.dots_with_no_batch_dims_saveable,
    jax.checkpoint_policies.save_only_these_names(_KEPT),
)


def keep(x: jax.Array) -> jax.Array:
    """Marks what takes longer to compute again than to write and read, though it is no product."""
    return checkpoint_name(x, _KEPT)


@runtime_checkable
class Preparing(Protocol):
    """A module that makes something of its variables which is the same in every call."""

    def prepare(self, training: bool) -> bool:
        """Puts it in their place, for training or for inference; returns whether it has."""
        ...


class Layers(nnx.Module):
    """Layers that differ in nothing but their weights.

    A program holds one of them, however many there are: it is compiled in a fraction of the time,
    and runs as fast as all of them written out. So their variables are kept joined, those of
    `each` having one more axis, in front, for the layer; files hold them one by one
    (`jaxreact.variables`).

    Modules of theirs that are `Preparing` are asked before the loop, so that what they make of
    their variables is made once for all layers.
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
        self,
        step: Step,
        x: Any,
        *given: Any,
        seed: Seed = None,
        remat: bool | None = None,
        final: Step | None = None,
    ) -> Any:
        """`x = step(layer, x, seed of the layer, *given)` for all layers, `final` for the last.

        Where `step` is the same function, models that hold several such layers are traced and
        compiled as if they held one.

        With `remat` what a step computes inside is not kept for the backward pass but computed
        again there; with False all is kept. With None the results of products with weights are
        kept, and what `keep` marks; the rest is computed again, which takes no longer than to write
        and read it. Without a seed (inference) there is no backward pass.
        """
        graph, state = nnx.split(self.each)
        seeds = None if seed is None else hashed_bits(seed, (self.count, 2))
        if final is None:
            return _loop(graph, step, remat, state, x, seeds, given)
        before = jax.tree.map(lambda leaf: leaf[:-1], (state, seeds))
        x = _loop(graph, step, remat, before[0], x, before[1], given)
        return final(self[-1], x, None if seeds is None else seeds[-1], *given)


def _scan(
    graph: nnx.GraphDef,
    step: Step,
    remat: bool | None,
    state: nnx.State,
    x: Any,
    seeds: UInt32[Array, "layers 2"] | None,
    given: Any,
) -> Any:
    def body(x: Any, layer: Any) -> tuple[Any, None]:
        return step(nnx.merge(graph, layer[0]), x, layer[1], *given), None

    graph, state = _prepared(graph, state, seeds is not None)
    forgetting = None if seeds is None else _rematerialized(remat)
    return jax.lax.scan(forgetting(body) if forgetting else body, x, (state, seeds))[0]


def _prepared(
    graph: nnx.GraphDef, state: nnx.State, training: bool
) -> tuple[nnx.GraphDef, nnx.State]:
    """The layers with what their modules make of their variables beforehand."""
    graphs: list[nnx.GraphDef] = []

    def prepare(state: nnx.State) -> nnx.State:
        layer = nnx.merge(graph, state)
        modules = list(nnx.iter_modules(layer))
        later = [path for path, part in modules if isinstance(part, Layers)]  # prepare their own
        changed = [
            part.prepare(training)
            for path, part in modules
            if isinstance(part, Preparing) and not any(path[: len(one)] == one for one in later)
        ]
        new_graph, new_state = nnx.split(layer)
        graphs.append(new_graph if any(changed) else graph)
        return new_state if any(changed) else state

    joined = jax.vmap(prepare)(state)
    return graphs[0], joined


_loop = jax.jit(_scan, static_argnames=("graph", "step", "remat"))


def _rematerialized(remat: bool | None) -> Callable[..., Any] | None:
    """What makes a step forget; None where it keeps all."""
    if remat is False:
        return None
    # Of layers written out one after the other, the compiler finds that both passes compute the
    # same, and keeps it after all: it is the loop that makes `jax.checkpoint` save memory on a CPU.
    return partial(jax.checkpoint, prevent_cse=False, policy=None if remat else _SPARING)
