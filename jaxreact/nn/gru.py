"""torch's gated recurrent unit, as a cell and over a sequence."""

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

    def step(
        self, state: Float[Array, "batch hidden"], x: Float[Array, "batch inputs"]
    ) -> Float[Array, "batch hidden"]:
        """The state after one more input."""
        return self._update(state, self.input(x))

    def last_state(self, x: Float[Array, "batch time inputs"]) -> Float[Array, "batch hidden"]:
        """The state after a whole sequence."""
        projected = jnp.moveaxis(self.input(x), 1, 0)  # all frames at once: they need no state

        def step(state: jax.Array, given: jax.Array) -> tuple[jax.Array, Any]:
            return self._update(state, given), None

        return jax.lax.scan(step, self.start(len(x)), projected)[0]

    def _update(self, state: jax.Array, given: jax.Array) -> jax.Array:
        reset, update, candidate = jnp.split(given, 3, axis=-1)
        of_reset, of_update, of_candidate = jnp.split(self.hidden(state), 3, axis=-1)
        kept = jax.nn.sigmoid(update + of_update)
        new = jnp.tanh(candidate + jax.nn.sigmoid(reset + of_reset) * of_candidate)
        return (1 - kept) * new + kept * state
