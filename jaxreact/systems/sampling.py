"""How systems that speak in codes draw them."""

import math
from collections.abc import Set
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxreact.errors import ArgumentError, UserError

Vocabulary = Literal["codes", "full"]


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn from logits."""

    temperature: float | None = None
    """What logits are divided by: less is more cautious. By default the model's own temperature,
    which its training's preset names; 1 for a converted model."""
    top_k: int | None = 512
    """Draw among so many most likely tokens of each frame (ties included); 1 takes the most likely
    one, for which no seed is needed; None draws among all."""
    vocabulary: Vocabulary = "codes"
    """Draw among the tokenizer's codes only, or ("full") also PAD, MASK and indices outside the
    codebook, as the original does (behaviours 52, 53)."""
    top_p: float | None = None
    """Draw among the most likely tokens that together have this probability (Holtzman et al. 2020);
    1 draws among all. By default the model's own: 0.9 for Learning2Listen, all for FIBER."""

    def __post_init__(self):
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise ArgumentError(
                f"temperature {self.temperature} is not positive and finite; for the likeliest"
                " tokens use top_k 1"
            )
        if self.top_k is not None and self.top_k < 1:
            raise ArgumentError(f"top_k {self.top_k} is less than 1")
        if self.vocabulary not in ("codes", "full"):
            raise ArgumentError(f"vocabulary {self.vocabulary!r} is not 'codes' or 'full'")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ArgumentError(f"top_p {self.top_p} is not above 0 and at most 1")

    def of_model(self, temperature: float, top_p: float | None = None) -> "Sampling":
        """The same with a model's own temperature and share where none are given."""
        return replace(
            self,
            temperature=temperature if self.temperature is None else self.temperature,
            top_p=top_p if self.top_p is None else self.top_p,
        )


SAMPLING = frozenset(field.name for field in fields(Sampling))
"""Names of the options of `react` of systems that speak in codes."""


def options_of(sampling: Sampling, taken: Set[str], name: str) -> dict[str, Any]:
    """What a system called `name`, whose `react` takes these options, is given of them: all, where
    it speaks in codes, else what somebody has chosen.

    Raises UserError where it does not take that.
    """
    given = asdict(sampling)
    if taken >= SAMPLING:
        return given
    standard = asdict(Sampling())
    chosen = {option: value for option, value in given.items() if value != standard[option]}
    if refused := sorted(chosen.keys() - taken):
        options = ", ".join(f"--{option.replace('_', '-')}" for option in refused)
        raise UserError(f"{name} draws no codes; leave {options} out")
    return chosen


def truncate(
    logits: Float[Array, "*batch vocabulary"], sampling: Sampling
) -> Float[Array, "*batch vocabulary"]:
    """Logits over the temperature, minus infinity outside the top k and the top p of each row.

    The original's threshold is the least of a whole batch's, which couples its samples
    (behaviour 53); here each row has its own.
    """
    logits = logits.astype(jnp.float32) / (sampling.temperature or 1.0)
    if sampling.top_k is not None and sampling.top_k < logits.shape[-1]:
        threshold = jax.lax.top_k(logits, sampling.top_k)[0][..., -1:]
        logits = jnp.where(logits < threshold, -jnp.inf, logits)
    if sampling.top_p is not None and sampling.top_p < 1:
        logits = jnp.where(_in_nucleus(logits, sampling.top_p), logits, -jnp.inf)
    return logits


def _in_nucleus(
    logits: Float[Array, "*batch vocabulary"], share: float
) -> Bool[Array, "*batch vocabulary"]:
    """Whether those that are more likely have the share together at most; the first always is."""
    order = jnp.argsort(logits, axis=-1, descending=True)
    sorted_ = jax.nn.softmax(jnp.take_along_axis(logits, order, axis=-1), axis=-1)
    kept = jnp.cumsum(sorted_, axis=-1) - sorted_ <= share
    return jnp.take_along_axis(kept, jnp.argsort(order, axis=-1), axis=-1)


def sample_keys(
    sampling: Sampling, key: jax.Array | None, streams: int, samples: int
) -> jax.Array | None:
    """Keys (streams, samples) from one key, or from one for each stream; None for argmax.

    Raises ValueError without a key where one is needed.
    """
    if sampling.top_k == 1:
        return None
    if key is None:
        raise ValueError("a key= is needed unless top_k=1")
    keys = key if key.ndim else _fold(key, streams)
    return jax.vmap(lambda stream: _fold(stream, samples))(keys)


def _fold(key: jax.Array, count: int) -> jax.Array:
    """Keys 0 .. count - 1 of a key; each is the same whatever `count` is."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count))
