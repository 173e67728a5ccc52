"""BeLFusion's golden arrays, and models that hold the golden weights."""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxreact import runs
from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig
from jaxreact.systems.belfusion.denoiser import Denoiser
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.tables import STATISTICS, VAE_TABLE, denoiser_table
from jaxreact.systems.belfusion.vae import EmotionVAE
from jaxreact.torch_files.engine import Table, fill, nest, paths, to_torch
from tests.golden.belfusion import recipe

GOLDEN = Path(__file__).parents[2] / "golden" / "belfusion"
CHECKPOINTS = GOLDEN / "checkpoints"

SMALL_VAE = EmotionVAEConfig(window_size=5, hidden_dim=12, z_dim=12, emb_dims=(10, 9))
SMALL_DENOISER = DenoiserConfig(emb_length=12, num_hid_channels=24, num_layers=4, window_size=5)


@cache
def golden(name: str) -> dict[str, Any]:
    """All arrays (numpy) of `tests/golden/belfusion/NAME.npz`."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return dict(file)


def vae(config: EmotionVAEConfig = SMALL_VAE, statistics: str = "vae_small") -> EmotionVAE:
    """The golden VAE; with the statistics of a golden file."""
    known = {n: x for n, x in golden(statistics).items() if n.startswith(STATISTICS)}
    known = {n: x for n, x in known.items() if n.count(".") == 1}
    return _build(VAE, config, VAE_TABLE, known)


def denoiser(config: DenoiserConfig = SMALL_DENOISER, **changes: Any) -> Denoiser:
    """The golden denoiser; `changes` replace fields of its configuration."""
    config = dataclasses.replace(config, **changes)
    return _build(DENOISER, config, denoiser_table(config), {})


def torch_gradients(gradients: Any, table: Table) -> dict[str, np.ndarray]:
    """Gradients (an nnx.State of parameters) under their torch names."""
    return to_torch(paths(gradients), table)


def _build(kind: runs.Kind, config: Any, table: Table, given: dict[str, np.ndarray]) -> Any:
    abstract = paths(runs.abstract_variables(kind, config))
    empty = {path: np.broadcast_to(np.float32(0), leaf.shape) for path, leaf in abstract.items()}
    tensors = {
        name: given[name] if name in given else recipe.det_param(name, x.shape)
        for name, x in to_torch(empty, table).items()
    }
    return runs.build(kind, config, nest(fill(abstract, tensors, table, "recipe")))


def same(actual: Any, name: str, key: str, tolerance: float = 1e-5) -> None:
    """A stage's output is the golden one."""
    np.testing.assert_allclose(jnp.asarray(actual), golden(name)[key], rtol=0, atol=tolerance)
