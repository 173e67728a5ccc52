"""FSQ, VQ and LFQ behind one contract.

    quantizer(latent, train=False) -> Quantized(latent, codes, auxiliary_loss, statistics)
    quantizer.codes_to_latent(codes) -> latent

Latents are (batch, time, n_embd), codes (batch, time) int32 in [0, codebook_size). In training the
quantised latent passes gradients straight through to the input latent. Everything is float32 at
full matmul precision whatever the rest of the model computes in: a code is a rounding decision.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int


class Statistics(nnx.Variable):
    """Statistics that a model keeps: not trained by gradients, replaced by the train state."""


class Quantized(NamedTuple):
    """What a quantiser gives: see the module's docstring."""

    latent: Float[Array, "batch time n_embd"]
    codes: Int[Array, "batch time"]
    auxiliary_loss: Float[Array, ""]
    statistics: dict[str, jax.Array]
    """New values of the quantiser's `Statistics` by attribute name; empty unless training VQ."""


def _straight_through(value: jax.Array, quantised: jax.Array) -> jax.Array:
    """`quantised` forwards, the gradient of `value` backwards."""
    return value + jax.lax.stop_gradient(quantised - value)


def _projection(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(
        inputs,
        outputs,
        kernel_init=nnx.initializers.normal(0.02),
        precision=jax.lax.Precision.HIGHEST,
        rngs=rngs,
    )


class FSQ(nnx.Module):
    """Finite scalar quantisation (Mentzer et al. 2023, arXiv 2309.15505): a grid in a small cube.

    Channel i of the projected latent is bounded to `levels[i]` values and rounded; a code counts
    them in mixed radix, first channel fastest (behaviour 31). Codes outside the codebook wrap as
    in the original: -1 is the last code, codebook_size is code 0 (behaviour 32).
    """

    def __init__(self, config, *, rngs: nnx.Rngs):
        self.levels = tuple(config.quantize_levels)
        self.project_in = _projection(config.n_embd, len(self.levels), rngs)
        self.project_out = _projection(len(self.levels), config.n_embd, rngs)

    @property
    def basis(self) -> jax.Array:
        """Value of one step of each channel in a code: (1, L0, L0 L1, ...)."""
        return jnp.cumprod(jnp.array((1, *self.levels[:-1])), dtype=jnp.int32)

    def bound(self, z: Float[Array, "*batch channels"]) -> Float[Array, "*batch channels"]:
        """Squashes each channel so that rounding yields exactly `levels` values (section 3)."""
        levels = jnp.array(self.levels, jnp.float32)
        half = (levels - 1) * (1 + 1e-3) / 2
        offset = jnp.where(levels % 2 == 0, 0.5, 0.0)
        return jnp.tanh(z + jnp.arctanh(offset / half)) * half - offset

    def code_to_point(self, codes: Int[Array, "*batch"]) -> Float[Array, "*batch channels"]:
        """The grid point of a code, each channel in [-1, 1]."""
        levels = jnp.array(self.levels)
        half = levels // 2
        return ((codes[..., None] // self.basis % levels) - half) / half  # (..., channels)

    def __call__(self, latent: jax.Array, train: bool = False) -> Quantized:
        half = jnp.array(self.levels) // 2
        bounded = self.bound(self.project_in(latent.astype(jnp.float32)))
        rounded = jnp.round(bounded)
        codes = jnp.sum((rounded.astype(jnp.int32) + half) * self.basis, axis=-1)  # (batch, time)
        point = _straight_through(bounded, rounded) / half
        return Quantized(self.project_out(point), codes, jnp.zeros(()), {})

    def codes_to_latent(self, codes: Int[Array, "batch time"]) -> jax.Array:
        return self.project_out(self.code_to_point(codes))


class LFQ(nnx.Module):
    """Lookup-free quantisation (Yu et al. 2023, arXiv 2310.05737): the signs of log2(size) bits.

    The first bit is the most significant; codes outside the codebook are read by their low bits,
    two's complement (behaviour 32). The auxiliary loss is 0.1 (mean entropy of a sample's soft
    assignment - entropy of the batch's mean assignment) + 0.25 mean squared distance to the
    signs, with assignments softmax(200 z . c): the original's constants, which its configuration
    cannot change (behaviour 35).
    """

    ENTROPY_WEIGHT = 0.1
    COMMITMENT_WEIGHT = 0.25
    INVERSE_TEMPERATURE = 100.0

    def __init__(self, config, *, rngs: nnx.Rngs):
        self.bits = config.quantize_codebook_size.bit_length() - 1
        self.project_in = _projection(config.n_embd, self.bits, rngs)
        self.project_out = _projection(self.bits, config.n_embd, rngs)

    @property
    def bit_values(self) -> jax.Array:
        """Value of each bit in a code: (2^(bits-1), ..., 2, 1)."""
        return 2 ** jnp.arange(self.bits - 1, -1, -1, dtype=jnp.int32)

    def code_to_point(self, codes: Int[Array, "*batch"]) -> Float[Array, "*batch bits"]:
        """The corner of the cube {-1, 1}^bits that a code names."""
        set_bits = (codes[..., None].astype(jnp.int32) & self.bit_values) != 0  # (..., bits)
        return jnp.where(set_bits, 1.0, -1.0)

    def __call__(self, latent: jax.Array, train: bool = False) -> Quantized:
        z = self.project_in(latent.astype(jnp.float32))
        signs = jnp.where(z > 0, 1.0, -1.0)
        codes = jnp.sum(jnp.where(z > 0, self.bit_values, 0), axis=-1)  # (batch, time)
        loss = self.auxiliary_loss(z, signs) if train else jnp.zeros(())
        return Quantized(self.project_out(_straight_through(z, signs)), codes, loss, {})

    def auxiliary_loss(self, z: jax.Array, signs: jax.Array) -> Float[Array, ""]:
        """Entropy and commitment terms, over all positions of the (global) batch."""
        corners = self.code_to_point(jnp.arange(2**self.bits))
        similarity = 2 * self.INVERSE_TEMPERATURE * jnp.einsum("btd,cd->btc", z, corners)
        assignment = jax.nn.softmax(similarity, axis=-1)
        entropy = jnp.mean(_entropy(assignment)) - _entropy(jnp.mean(assignment, axis=(0, 1)))
        commitment = jnp.mean((z - jax.lax.stop_gradient(signs)) ** 2)
        return self.ENTROPY_WEIGHT * entropy + self.COMMITMENT_WEIGHT * commitment

    def codes_to_latent(self, codes: Int[Array, "batch time"]) -> jax.Array:
        return self.project_out(self.code_to_point(codes))


def _entropy(probabilities: jax.Array) -> jax.Array:
    """Entropy in nats over the last axis; logarithms floored at log 1e-5, as the original's."""
    return -jnp.sum(probabilities * jnp.log(jnp.maximum(probabilities, 1e-5)), axis=-1)


class VQ(nnx.Module):
    """Vector quantisation with a codebook of exponential moving averages (van den Oord et al. 2017,
    appendix A.1): the nearest of `codebook_size` vectors.

    In training the auxiliary loss is the commitment term, and the returned statistics hold the
    moved codebook; `kmeans` gives its start from a first batch (behaviour 35). Negative codes count
    from the end, as the original's indexing does (behaviour 32).
    """

    def __init__(self, config, *, rngs: nnx.Rngs):
        size, features = config.quantize_codebook_size, config.n_embd
        self.decay = config.quantize_decay
        self.commitment_weight = config.quantize_commitment_weight
        self.embed = Statistics(
            jax.nn.initializers.normal(1.0)(rngs.params(), (size, features), jnp.float32)
        )
        self.embed_avg = Statistics(jnp.copy(self.embed[...]))  # a buffer of its own, to donate
        self.cluster_size = Statistics(jnp.ones(size))

    def nearest(self, latent: Float[Array, "*batch n_embd"]) -> Int[Array, "*batch"]:
        """Index of the nearest codebook vector."""
        return nearest(latent, self.embed[...])

    def __call__(self, latent: jax.Array, train: bool = False) -> Quantized:
        latent = latent.astype(jnp.float32)
        codes = self.nearest(jax.lax.stop_gradient(latent))
        quantised = self.embed[...][codes]  # (batch, time, n_embd)
        if not train:
            return Quantized(quantised, codes, jnp.zeros(()), {})
        commitment = jnp.mean((jax.lax.stop_gradient(quantised) - latent) ** 2)
        return Quantized(
            _straight_through(latent, quantised),
            codes,
            self.commitment_weight * commitment,
            self.moved(jax.lax.stop_gradient(latent), codes),
        )

    def moved(self, latent: jax.Array, codes: jax.Array) -> dict[str, jax.Array]:
        """The statistics after one step of exponential averaging over the (global) batch."""
        size, features = self.embed.shape
        counts, sums = cluster_sums(latent.reshape(-1, features), codes.reshape(-1), size)
        keep = self.decay
        cluster_size = keep * self.cluster_size[...] + (1 - keep) * counts
        embed_avg = keep * self.embed_avg[...] + (1 - keep) * sums
        total = jnp.sum(cluster_size)
        smoothed = (cluster_size + 1e-5) / (total + size * 1e-5) * total
        return {
            "cluster_size": cluster_size,
            "embed_avg": embed_avg,
            "embed": embed_avg / smoothed[:, None],
        }

    def codes_to_latent(self, codes: Int[Array, "batch time"]) -> jax.Array:
        return self.embed[...][codes]


def nearest(
    vectors: Float[Array, "*batch features"], codebook: Float[Array, "size features"]
) -> Int[Array, "*batch"]:
    """Index of the codebook vector at the least Euclidean distance."""
    products = jnp.einsum("...d,cd->...c", vectors, codebook, precision=jax.lax.Precision.HIGHEST)
    distances = jnp.sum(vectors**2, -1, keepdims=True) + jnp.sum(codebook**2, -1) - 2 * products
    return jnp.argmin(distances, axis=-1)


def cluster_sums(vectors: jax.Array, codes: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
    """Count and sum of the vectors of each cluster."""
    counts = jnp.zeros(size).at[codes].add(1.0)
    return counts, jnp.zeros((size, vectors.shape[-1])).at[codes].add(vectors)


def kmeans(
    vectors: Float[Array, "points features"], size: int, key: jax.Array, iterations: int = 10
) -> dict[str, jax.Array]:
    """Statistics of a VQ codebook from Lloyd's algorithm, started at random points.

    Points are drawn without replacement where there are enough of them; an empty cluster keeps its
    mean. Returns `embed`, `embed_avg` and `cluster_size`.
    """
    count = vectors.shape[0]
    start = jax.random.choice(key, count, (size,), replace=count < size)

    def improve(means: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        counts, sums = cluster_sums(vectors, nearest(vectors, means), size)
        updated = sums / jnp.maximum(counts, 1.0)[:, None]
        return jnp.where(counts[:, None] == 0, means, updated), counts

    means, counts = jax.lax.scan(improve, vectors[start], None, length=iterations)
    return {
        "embed": means,
        "embed_avg": means * counts[-1][:, None],
        "cluster_size": counts[-1],
    }


QUANTIZERS = {"fsq": FSQ, "vq": VQ, "lfq": LFQ}
