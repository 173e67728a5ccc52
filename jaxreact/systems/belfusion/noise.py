"""The noise that reactions are made of: a window's depends on its key, its sample and its place."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key


def keys_of_streams(key: jax.Array, streams: int) -> Key[Array, "streams"]:
    """One key for each stream, from one for all or as they are."""
    return key if key.ndim else _folded(key, jnp.arange(streams))


@partial(jax.jit, static_argnames=("samples", "windows", "width"))
def window_noise(
    keys: Key[Array, "streams"],
    first: Int[Array, "streams"],
    *,
    samples: int,
    windows: int,
    width: int,
) -> Float[Array, "streams samples windows latent"]:
    """Unit normal noise of the windows from each stream's `first` on.

    It is the same however many streams, samples or windows there are beside.
    """
    places = first[:, None] + jnp.arange(windows)
    of_samples = jax.vmap(_folded, (0, None))(keys, jnp.arange(samples))
    of_windows = jax.vmap(jax.vmap(_folded, (0, None)))(of_samples, places)
    draw = partial(jax.random.normal, shape=(width,))
    return jax.vmap(jax.vmap(jax.vmap(draw)))(of_windows)


def _folded(key: jax.Array, numbers: jax.Array) -> jax.Array:
    return jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)
