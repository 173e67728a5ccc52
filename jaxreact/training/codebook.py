"""How a model of codes uses its codebook, told in the metrics of a step or a validation."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Metrics = dict[str, Float[Array, "..."]]


def code_share(codes: Int[Array, "*batch"], codebook_size: int) -> Float[Array, "codes"]:
    """How often each code occurs among `codes`, as a share of them."""
    return jnp.zeros(codebook_size).at[codes.reshape(-1)].add(1.0) / codes.size


def codebook_use(share: Float[Array, "codes"]) -> Metrics:
    """Share of the codes that occur at all, and the perplexity of their distribution."""
    entropy = -jnp.sum(share * jnp.log(jnp.maximum(share, 1e-12)))
    return {"codebook/use": jnp.mean(share > 0), "codebook/perplexity": jnp.exp(entropy)}


def with_codebook_use(metrics: Metrics) -> Metrics:
    """Metrics with "code_share", where they have it, told in two numbers."""
    if "code_share" not in metrics:
        return metrics
    rest = {name: value for name, value in metrics.items() if name != "code_share"}
    return rest | codebook_use(metrics["code_share"])
