"""Trans-VAE with the goldens' weights, which pass through the project's own conversion table."""

from typing import Any

import numpy as np

from jaxreact import runs
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.conversion import TABLE
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.model import TransVAE
from jaxreact.torch_files.engine import fill, nest, paths, to_torch
from tests.golden.trans_vae import recipe

SMALL = 16
"""Features of the small goldens, whose pictures have 32 pixels."""


def golden_model(**changes: Any) -> TransVAE:
    """The model of the goldens; as the original has it, unless `changes` say otherwise."""
    config = TransVAEConfig(**{"features": SMALL, "mode": "original", **changes})
    abstract = paths(runs.abstract_variables(TRANS_VAE, config))
    empty = {path: np.broadcast_to(np.float32(0), leaf.shape) for path, leaf in abstract.items()}
    shapes = {name: x.shape for name, x in to_torch(empty, TABLE).items()}
    tensors = {name: recipe.parameter(name, shape) for name, shape in shapes.items()}
    return runs.build(TRANS_VAE, config, nest(fill(abstract, tensors, TABLE, "recipe")))


def latent_noise(tag: str, batch: int, windows: int, features: int = SMALL) -> np.ndarray:
    """(batch, 1, windows, features): the goldens' noise, which has a name for each window."""
    rows = [recipe.normal(f"tvae.eps.{tag}.{i}", (batch, features)) for i in range(windows)]
    return np.stack(rows, axis=1)[:, None]
