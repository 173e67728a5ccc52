"""Dynamic time warping of many pairs at once."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxreact.face import ACTION_UNITS, EMOTION_PROBABILITIES, VALENCE_AROUSAL

BLOCKS = (
    (ACTION_UNITS.start, ACTION_UNITS.stop),
    (VALENCE_AROUSAL.start, VALENCE_AROUSAL.stop),
    (EMOTION_PROBABILITIES.start, EMOTION_PROBABILITIES.stop),
)
"""Action units, valence and arousal, expressions: each is warped on its own."""


@jax.jit
def dtw(
    first: Float[Array, "pairs t 25"], second: Float[Array, "pairs u 25"]
) -> Float[Array, "3 pairs"]:
    """Warping distance of each pair, for each of the three blocks of channels.

    D(i, j) = |x_i - y_j|^2 + min(D(i-1, j), D(i, j-1), D(i-1, j-1)) without a window; the result is
    sqrt(D(T, U)), not divided by any length (behaviour 8; Sakoe & Chiba 1978 with symmetric
    steps). float32; agrees with float64 to 1e-6 relative.

    Cells of one anti-diagonal i + j = d depend on the two before it only, so that the recurrence
    runs over d and does all i and all pairs at once.
    """
    # (25, T, pairs): neighbouring pairs share a vector register.
    x = jnp.transpose(first, (2, 1, 0))
    y = jnp.transpose(second, (2, 1, 0))
    rows, columns, pairs = x.shape[1], y.shape[1], x.shape[2]
    # Row i of diagonal d meets y[d - i]: a window into y backwards. Beyond both ends lies infinity,
    # which makes the cost of cells outside the matrix infinite.
    outside = ((0, 0), (rows - 1, rows - 1), (0, 0))
    backwards = jnp.pad(y[:, ::-1], outside, constant_values=jnp.inf)
    never = jnp.full((len(BLOCKS), rows, pairs), jnp.inf)

    def diagonal(carry, d):
        last, before_last_shifted = carry
        window = jax.lax.dynamic_slice_in_dim(backwards, rows + columns - 2 - d, rows, axis=1)
        squares = jnp.square(x - window)
        cost = jnp.stack([sum(squares[c] for c in range(*block)) for block in BLOCKS])
        last_shifted = jnp.concatenate([never[:, :1], last[:, :-1]], axis=1)
        best = jnp.minimum(jnp.minimum(last, last_shifted), before_last_shifted)
        return (cost + best, last_shifted), None

    before_first = never.at[:, 0].set(0.0)  # the path begins at (0, 0) for free
    (last, _), _ = jax.lax.scan(diagonal, (never, before_first), jnp.arange(rows + columns - 1))
    return jnp.sqrt(last[:, -1])
