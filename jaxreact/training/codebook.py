"""How a model of codes uses its codebook, told in the metrics of a step or a validation."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

Metrics = dict[str, Float[Array, "..."]]


def code_share(codes: Int[Array, "*batch"], codebook_size: int) -> Float[Array, "codes"]:
    """How often each code occurs among `codes`, as a share of them."""
    return jnp.zeros(codebook_size).at[codes.reshape(-1)].add(1.0) / codes.size


def codebook_use(share: Float[Array | np.ndarray, "codes"]) -> Metrics:
    """Share of the codes that occur at all, and the perplexity of their distribution."""
    entropy = -jnp.sum(share * jnp.log(jnp.maximum(share, 1e-12)))
    return {"codebook/use": jnp.mean(share > 0), "codebook/perplexity": jnp.exp(entropy)}


def with_codebook_use(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics with "code_share", where they have it, told in two numbers.

    Of a step on the device, or of a validation, whose sums are the host's.
    """
    rest = {name: value for name, value in metrics.items() if name != "code_share"}
    return rest | (codebook_use(metrics["code_share"]) if "code_share" in metrics else {})
