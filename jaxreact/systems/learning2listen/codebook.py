"""The VQ-VAE's codebook: what a code stands for, and how its vectors come to be."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxreact.nn.quantizers import Quantized, Statistics, cluster_sums, nearest
from jaxreact.nn.uniform import within
from jaxreact.systems.learning2listen.config import MotionCoderConfig

COMMITMENT_WEIGHT = 0.25


class Vectors(NamedTuple):
    """A codebook of moving averages: `vectors` are `sums` by `uses`."""

    vectors: Float[Array, "codes hidden"]
    sums: Float[Array, "codes hidden"]
    uses: Float[Array, "codes"]
    """How often each code occurs, lately; 1 where all occur alike."""

    @property
    def statistics(self) -> dict[str, Any]:
        """As the codebook's `Statistics` are named."""
        return {"embedding": self.vectors, "averages": {"sums": self.sums, "uses": self.uses}}


class Averages(nnx.Module):
    """What the vectors of a codebook of moving averages are quotients of."""

    def __init__(self, config: MotionCoderConfig):
        self.sums = Statistics(jnp.zeros((config.n_embed, config.hidden_size)))
        self.uses = Statistics(jnp.zeros(config.n_embed))
        self.decay, self.least_use = config.codebook_decay, config.codebook_least_use

    def restarted(
        self,
        vectors: Float[Array, "codes hidden"],
        rows: Float[Array, "rows hidden"],
        key: jax.Array,
    ) -> Vectors:
        """Vectors, sums and uses, with those of dead codes taken anew from the rows."""
        count, size = len(rows), len(vectors)
        drawn = rows[jax.random.choice(key, count, (size,), replace=count < size)]
        dead = self.uses[...] < self.least_use
        vectors = jnp.where(dead[:, None], drawn, vectors)
        sums = jnp.where(dead[:, None], drawn, self.sums[...])
        return Vectors(vectors, sums, jnp.where(dead, 1.0, self.uses[...]))

    def moved(
        self, old: Vectors, rows: Float[Array, "rows hidden"], codes: Int[Array, "rows"]
    ) -> Vectors:
        """The same after one step of averaging over the (global) batch."""
        counts, sums = cluster_sums(rows, codes, len(old.uses))
        even = len(rows) / len(old.uses)  # uses of each code, were all used alike
        sums = self.decay * old.sums + (1 - self.decay) * sums / even
        uses = self.decay * old.uses + (1 - self.decay) * counts / even
        return Vectors(sums / uses[:, None], sums, uses)


class Codebook(nnx.Module):
    """Vector quantisation (van den Oord et al. 2017, arXiv 1711.00937), in float32.

    With the layout "groups" code j is the j-th quarter of the channels at all four steps, since the
    original cuts a transposed latent into rows (L4); with "time" it is step j. The vectors are
    trained by the loss (eq. 3), as the original's, or are moving averages of the rows that they are
    nearest to (appendix A.1); one that hardly any row is near then starts anew at a row of the
    batch (Dhariwal et al. 2020, arXiv 2005.00341), as all do at the first step.
    """

    def __init__(self, config: MotionCoderConfig, *, rngs: nnx.Rngs):
        size = config.n_embed
        start = within(1 / size)(rngs.params(), (size, config.hidden_size))
        averaged = config.codebook == "averages"
        self.embedding = Statistics(start) if averaged else nnx.Param(start)
        self.averages = Averages(config) if averaged else None
        self.grouped = config.code_layout == "groups"

    def rows(self, latent: Float[Array, "*batch 4 hidden"]) -> Float[Array, "*batch 4 hidden"]:
        """What each code stands for."""
        if not self.grouped:
            return latent
        return latent.swapaxes(-1, -2).reshape(latent.shape)

    def from_rows(self, rows: Float[Array, "*batch 4 hidden"]) -> Float[Array, "*batch 4 hidden"]:
        """The inverse of `rows`."""
        if not self.grouped:
            return rows
        *batch, codes, hidden = rows.shape
        return rows.reshape(*batch, hidden, codes).swapaxes(-1, -2)

    def __call__(
        self, latent: Float[Array, "batch 4 hidden"], key: jax.Array | None = None
    ) -> Quantized:
        """The nearest entries; gradients pass straight through to the latent.

        The auxiliary loss is a quarter of the latent's error, and the codebook's, unless that is of
        averages. `key`, given in training, moves averages: the statistics.
        """
        latent = latent.astype(jnp.float32)
        fixed = jax.lax.stop_gradient
        vectors, codes, statistics = self._looked_up(fixed(self.rows(latent)), key)
        quantised = self.from_rows(vectors[codes])
        loss = COMMITMENT_WEIGHT * jnp.mean((fixed(quantised) - latent) ** 2)
        if self.averages is None:
            loss += jnp.mean((quantised - fixed(latent)) ** 2)
        return Quantized(latent + fixed(quantised - latent), codes, loss, statistics)

    def _looked_up(
        self, rows: Float[Array, "batch 4 hidden"], key: jax.Array | None
    ) -> tuple[Float[Array, "codes hidden"], Int[Array, "batch 4"], dict[str, Any]]:
        """The vectors, the nearest of them to each row, and new statistics."""
        vectors = self.embedding[...]
        if self.averages is None or key is None:
            return vectors, nearest(rows, vectors), {}
        flat = rows.reshape(-1, rows.shape[-1])
        start = self.averages.restarted(vectors, flat, key)
        codes = nearest(rows, start.vectors)
        moved = self.averages.moved(start, flat, codes.reshape(-1))
        return start.vectors, codes, moved.statistics

    def codes_to_latent(self, codes: Int[Array, "*batch 4"]) -> Float[Array, "*batch 4 hidden"]:
        return self.from_rows(self.embedding[...][codes])
