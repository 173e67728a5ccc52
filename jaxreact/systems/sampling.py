"""How systems that speak in codes draw them."""

from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

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

    def __post_init__(self):
        if self.temperature is not None and not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature} is not positive; use top_k=1")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k {self.top_k} is less than 1")
        if self.vocabulary not in ("codes", "full"):
            raise ValueError(f"vocabulary {self.vocabulary!r} is not 'codes' or 'full'")

    def of_model(self, temperature: float) -> "Sampling":
        """The same with a model's own temperature where none is given."""
        return self if self.temperature is not None else replace(self, temperature=temperature)


def truncate(
    logits: Float[Array, "*batch vocabulary"], sampling: Sampling
) -> Float[Array, "*batch vocabulary"]:
    """Logits over the temperature, minus infinity outside the top k of each row.

    The original's threshold is the least of a whole batch's, which couples its samples
    (behaviour 53); here each row has its own.
    """
    logits = logits.astype(jnp.float32) / (sampling.temperature or 1.0)
    if sampling.top_k is None or sampling.top_k >= logits.shape[-1]:
        return logits
    threshold = jax.lax.top_k(logits, sampling.top_k)[0][..., -1:]
    return jnp.where(logits < threshold, -jnp.inf, logits)
