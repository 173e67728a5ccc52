"""Who listens: the Big Five as a condition of FIBER's predictor; the original has none such."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.data.traits import TRAITS
from jaxreact.errors import ArgumentError
from jaxreact.nn.attention import Linear
from jaxreact.nn.compiled import Given
from jaxreact.systems.fiber.config import PredictorConfig

_MIDDLE = 0.5
"""Of each score's range."""


class TraitsEmbed(nnx.Module):
    """Scores of 0 to 1 as a vector that is added to every position of the listener's past.

    Linear in the scores' departures from the middle; a listener with a score that is NaN has a
    vector of its own. All begin at zero: the model begins as the one without.
    """

    def __init__(self, features: int, *, rngs: nnx.Rngs):
        zeros = nnx.initializers.zeros_init()
        self.scores = Linear(TRAITS, features, use_bias=False, kernel_init=zeros, rngs=rngs)
        self.unknown = nnx.Param(jnp.zeros(features))

    def __call__(self, traits: Float[Array, "batch 5"]) -> Float[Array, "batch features"]:
        known = jnp.isfinite(traits).all(axis=-1, keepdims=True)
        # Chosen before the product too: a gradient through NaN is NaN, chosen or not.
        departures = jnp.where(known, traits - _MIDDLE, 0.0)
        return jnp.where(known, self.scores(departures), self.unknown[...])


def checked_traits(
    config: PredictorConfig, traits: Float[Given, "*streams 5"] | None, streams: int
) -> Float[Array, "streams 5"] | None:
    """The traits of so many listeners as the model takes them; None for a model without.

    One row is that of all. None and NaN are listeners of whom nothing is known. Raises
    ArgumentError for a model that was trained without traits, for other shapes and for scores that
    are not 0 to 1.
    """
    if not config.traits:
        if traits is not None:
            raise ArgumentError("traits: the predictor was trained without; leave them out")
        return None
    given = np.full(TRAITS, np.nan) if traits is None else np.asarray(traits)
    if given.shape not in ((TRAITS,), (1, TRAITS), (streams, TRAITS)):
        raise ArgumentError(
            f"traits {given.shape}; one listener has ({TRAITS},) and {streams} have"
            f" ({streams}, {TRAITS})"
        )
    if not (np.isnan(given) | ((given >= 0) & (given <= 1))).all():
        raise ArgumentError("traits: scores are 0 to 1, or NaN where nobody knows them")
    return jnp.asarray(np.broadcast_to(given, (streams, TRAITS)), jnp.float32)


def hidden_at_random(
    key: jax.Array, traits: Float[Array, "batch 5"], share: float
) -> Float[Array, "batch 5"]:
    """The traits, each listener's hidden with this probability, as if nothing were known."""
    hidden = jax.random.bernoulli(key, share, (len(traits), 1))
    return jnp.where(hidden, jnp.nan, traits)
