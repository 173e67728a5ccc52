"""A long short-term memory over a sequence, with torch's two biases and order of gates."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn.uniform import uniform_linear


class LSTM(nnx.Module):
    """One layer (Hochreiter and Schmidhuber 1997, with forget gates). The gates' columns are
    input, forget, cell, output; biases of inputs and of the state are kept apart."""

    def __init__(self, features: int, *, rngs: nnx.Rngs):
        self.input = uniform_linear(features, 4 * features, rngs)
        self.hidden = uniform_linear(features, 4 * features, rngs)

    def __call__(
        self,
        x: Float[Array, "batch time features"],
        start: Float[Array, "batch features"],
    ) -> Float[Array, "batch time features"]:
        """The hidden states; `start` is both the state and the cell before the first step."""
        inputs = self.input(x).swapaxes(0, 1)  # (time, batch, 4 features)

        def step(carry: tuple[jax.Array, jax.Array], given: jax.Array):
            hidden, cell = carry
            enters, keeps, new, leaves = jnp.split(given + self.hidden(hidden), 4, axis=-1)
            cell = jax.nn.sigmoid(keeps) * cell + jax.nn.sigmoid(enters) * jnp.tanh(new)
            hidden = jax.nn.sigmoid(leaves) * jnp.tanh(cell)
            return (hidden, cell), hidden

        start = start.astype(inputs.dtype)
        return jax.lax.scan(step, (start, start), inputs)[1].swapaxes(0, 1)
