"""torch's gated recurrent unit, as a cell and over a sequence."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.uniform import uniform_linear


class GRU(nnx.Module):
    """One layer of gated recurrent units with torch's two biases.

    The columns of both layers are the reset gate's, the update gate's and the candidate's.
    """

    def __init__(self, inputs: int, hidden: int, *, rngs: nnx.Rngs):
        bound = hidden**-0.5
        self.input = uniform_linear(inputs, 3 * hidden, rngs, bound)
        self.hidden = uniform_linear(hidden, 3 * hidden, rngs, bound)
        self.size = hidden

    def start(self, batch: int) -> Float[Array, "batch hidden"]:
        """The state before a sequence: zeros, in the type that the layer computes in."""
        return jnp.zeros((batch, self.size), self.hidden.kernel.dtype)

    def held(self, x: Float[Array, "batch first"]) -> Float[Array, "batch gates"]:
        """What the first inputs give, where they are the same at every step; for `step`."""
        kernel, bias = self.input.kernel[...], self.input.bias
        assert bias is not None
        return x.astype(kernel.dtype) @ kernel[: x.shape[1]] + bias[...]

    def step(
        self,
        state: Float[Array, "batch hidden"],
        x: Float[Array, "batch inputs"],
        held: Float[Array, "batch gates"] | None = None,
    ) -> Float[Array, "batch hidden"]:
        """The state after one more input. With what the first inputs give, `x` are the last."""
        if held is None:
            return self._update(state, self.input(x))
        kernel = self.input.kernel[...]
        return self._update(state, held + x.astype(kernel.dtype) @ kernel[-x.shape[1] :])

    def last_state(self, x: Float[Array, "batch time inputs"]) -> Float[Array, "batch hidden"]:
        """The state after a whole sequence."""
        frames = jnp.moveaxis(x, 1, 0)
        if forgets():
            return self._scanned(self.step, frames)
        projected = self.input(frames)  # all frames at once: they need no state
        return self._scanned(self._update, projected)

    def _scanned(
        self, update: Callable[..., jax.Array], given: Float[Array, "time batch given"]
    ) -> Float[Array, "batch hidden"]:
        def step(state: jax.Array, x: jax.Array) -> tuple[jax.Array, None]:
            return update(state, x), None

        return jax.lax.scan(recurrent(step), self.start(given.shape[1]), given)[0]

    def _update(self, state: jax.Array, given: jax.Array) -> jax.Array:
        reset, update, candidate = jnp.split(given, 3, axis=-1)
        of_reset, of_update, of_candidate = jnp.split(self.hidden(state), 3, axis=-1)
        kept = jax.nn.sigmoid(update + of_update)
        new = jnp.tanh(candidate + jax.nn.sigmoid(reset + of_reset) * of_candidate)
        return (1 - kept) * new + kept * state


def forgets() -> bool:
    """Whether steps are computed again on the way back: on a processor.

    What a product of a few hundred rows takes there is less than new memory for its result, which
    the system hands out page by page; elsewhere each operation more costs its launch.
    """
    return jax.default_backend() == "cpu"


def recurrent(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step for `jax.lax.scan`, of which the way back needs no more than its state and inputs
    where steps are computed again."""
    return jax.checkpoint(step, prevent_cse=False) if forgets() else step
