"""A trained or converted tokenizer."""

from functools import cached_property
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.systems.fiber.kinds import TOKENIZER


class Tokenizer(Compiled):
    """Face coefficients <-> codes. Coefficients are mean-subtracted."""

    @cached_property
    def mean_face(self) -> np.ndarray:
        """(58,) float32: raw coefficients minus mean-subtracted ones.

        Raises UserError if the run does not know it (a conversion without `--mean-face`).
        """
        return runs.mean_face(self.content, self.directory)

    @property
    def codebook_size(self) -> int:
        return self.config.codebook_size

    @property
    def block_size(self) -> int:
        """Frames of a block; a clip is a whole number of these."""
        return self.config.block_size

    @cached_property
    def _encode(self) -> Any:
        return self._jit(lambda model, coeffs: model.encode(coeffs), "float32")

    @cached_property
    def _decode(self) -> Any:
        return self._jit(lambda model, codes: model.decode(codes))

    def encode(self, coeffs: Float[Given, "batch time 58"]) -> Int[Array, "batch time"]:
        """Codes in [0, codebook_size), decided in float32 whatever the model computes in.

        ValueError unless `time` is a multiple of the block.
        """
        return self._encode(jnp.asarray(coeffs, jnp.float32))

    def codes_of(self, coeffs: Float[Given, "batch time 58"]) -> Int[Array, "batch time"]:
        """The same of raw coefficients."""
        return self.encode(coeffs - self.mean_face)

    def decode(
        self, codes: Int[Given, "batch time"]
    ) -> tuple[Float[Array, "batch time 58"], Float[Array, "batch time 25"]]:
        """Coefficients and emotion. ValueError unless `time` is a multiple of the block.

        Codes outside the codebook wrap as in the original (behaviour 32).
        """
        return self._decode(jnp.asarray(codes, jnp.int32))


def load_tokenizer(directory: str | Path) -> Tokenizer:
    """The tokenizer of a run or converted directory. Raises UserError if there is none."""
    return Tokenizer(*runs.load_model(directory, TOKENIZER), directory)
