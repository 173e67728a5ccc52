"""Learning2Listen's golden arrays, and models that hold the golden weights.

Weights are made under their torch names and pass through the project's own conversion tables.
"""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxreact import runs
from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import ListenerPredictorConfig, MotionCoderConfig
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.predictor import ListenerPredictor
from jaxreact.systems.learning2listen.tables import (
    STATISTICS,
    coder_table,
    listener_table,
    with_narrow_counts,
    with_wide_counts,
)
from jaxreact.torch_files.engine import Table, fill, nest, paths, to_torch
from tests.golden.learning2listen import recipe

FOLDER = Path(__file__).parents[2] / "golden" / "learning2listen"
CHECKPOINTS = FOLDER / "checkpoints"

SMALL_CODER = MotionCoderConfig(
    in_dim=56,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=24,
    n_embed=24,
    code_layout="groups",
)
FULL_CODER = MotionCoderConfig(in_dim=56, code_layout="groups")
SMALL_LISTENER = ListenerPredictorConfig(
    n_embed=24,
    hidden_size=20,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=24,
    speaker_heads=2,
    speaker_intermediate_size=24,
    past_heads=2,
    past_intermediate_size=24,
    motion_dim=56,
    mode="original",
)
FULL_LISTENER = ListenerPredictorConfig(motion_dim=56, mode="original")
REACT_AUDIO = {"motion_dim": 58, "audio_dim": 24, "audio_rate": 2}
"""What the goldens of 58 channels hear."""


@cache
def golden(name: str) -> dict[str, Any]:
    """All arrays (numpy) of `tests/golden/learning2listen/NAME.npz`."""
    with np.load(FOLDER / f"{name}.npz") as file:
        return dict(file)


@cache
def coder(base: MotionCoderConfig = SMALL_CODER, **changes: Any) -> MotionCoder:
    """The golden VQ-VAE; `changes` replace fields of its configuration. Not to be changed."""
    config = dataclasses.replace(base, **changes)
    return _build(CODER, config, coder_table(config))


@cache
def listener(base: ListenerPredictorConfig = SMALL_LISTENER, **changes: Any) -> ListenerPredictor:
    """The golden predictor; likewise."""
    config = dataclasses.replace(base, **changes)
    return _build(LISTENER, config, listener_table(config))


def torch_tensors(variables: Any, table: Table) -> dict[str, np.ndarray]:
    """Variables as files hold them under their torch names."""
    return with_wide_counts(to_torch(paths(variables), table))


def _build(kind: runs.Kind, config: Any, table: Table) -> Any:
    abstract = paths(runs.abstract_variables(kind, config))
    empty = {path: np.broadcast_to(np.float32(0), leaf.shape) for path, leaf in abstract.items()}
    tensors = {name: _value(name, x.shape) for name, x in to_torch(empty, table).items()}
    filled = fill(abstract, with_narrow_counts(tensors), table, "recipe")
    return runs.build(kind, config, nest(filled))


def _value(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.startswith(STATISTICS):  # which change nothing
        return np.full(shape, name.endswith(".std"), np.float32)
    return np.asarray(recipe.det_param(name, shape))


def speech(name: str, batch: int, steps: int, channels: int = 128) -> jnp.ndarray:
    """Audio channels of the goldens."""
    return jnp.asarray(recipe.smooth(name, (batch, steps, channels), k=5))


def same(actual: Any, name: str, key: str, tolerance: float = 1e-5) -> None:
    """A stage's output is the golden one."""
    np.testing.assert_allclose(np.asarray(actual), golden(name)[key], rtol=0, atol=tolerance)
