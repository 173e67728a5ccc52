"""FID's Inception, converted."""

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.metrics.realism import inception
from jaxreact.metrics.realism.inception import prepare
from jaxreact.nn.compiled import Compiled, Given

INCEPTION = runs.Kind("inception", inception.InceptionConfig, inception.Inception)


class Inception(Compiled):
    """Pictures -> the features that FID compares."""

    @cached_property
    def _prepare(self) -> Any:
        return jax.jit(partial(prepare, antialias=self.config.antialias))

    @cached_property
    def _features(self) -> Any:
        return self._jit(lambda model, pictures: model.features(pictures))

    def prepare(
        self, images: UInt8[Given, "batch height width 3"]
    ) -> Float[Array, "batch 299 299 3"]:
        """What the network sees of RGB images; compiled anew for each size, in little time."""
        return self._prepare(jnp.asarray(images, jnp.uint8))

    def features(self, pictures: Float[Given, "batch 299 299 3"]) -> Float[Array, "batch 2048"]:
        """Features of prepared pictures, float32; compiled anew for each size of the batch."""
        return self._features(jnp.asarray(pictures, jnp.float32))

    def __call__(self, images: UInt8[Given, "batch height width 3"]) -> Float[Array, "batch 2048"]:
        """Features of RGB images from 0 to 255, float32."""
        return self.features(self.prepare(images))


def load_inception(directory: str | Path, *, antialias: bool = False) -> Inception:
    """FID's Inception of a converted directory. Raises UserError if there is none.

    `antialias`: how images are resized, see `InceptionConfig`.
    """
    directory = Path(directory)
    if not (directory / "config.json").exists():
        raise UserError(
            f"{directory}: no Inception network here; download "
            "pt_inception-2015-12-05-6726825d.pth (Apache-2.0) from pytorch-fid's releases and run "
            f"python convert_weights.py inception pt_inception-2015-12-05-6726825d.pth {directory}"
        )
    return Inception(*runs.load_model(directory, INCEPTION, antialias=antialias), directory)
