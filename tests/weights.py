"""Golden arrays, and models that hold the golden weights.

Weights are made under their torch names and pass through the project's own conversion, so that
every parity test also tests the conversion tables.
"""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxreact import runs
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.conversion import PREDICTOR_TABLE, tokenizer_table
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.original_config import read_config
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.torch_files.engine import Table, fill, nest, paths, to_torch
from tests.golden import recipe

GOLDEN = Path(__file__).parent / "golden"


@cache
def golden(name: str) -> dict[str, Any]:
    """All arrays (numpy) of `tests/golden/NAME.npz`."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return dict(file)


def tokenizer(name: str, seed: int = 0, **changes: Any) -> FaceTokenizer:
    """The golden tokenizer "small_fsq", "small_vq", "small_lfq" or "full_fsq"."""
    config: FaceTokenizerConfig = read_config(
        TOKENIZER, GOLDEN / "checkpoints" / f"face_tokenizer_{name}.json"
    )
    config = dataclasses.replace(config, **changes)
    return _build(TOKENIZER, config, tokenizer_table(config), seed)


def predictor(size: str, seed: int = 0, **changes: Any) -> ReactPredictor:
    """The golden predictor "small" or "full"; `changes` replace fields of its configuration."""
    config: PredictorConfig = read_config(
        PREDICTOR, GOLDEN / "checkpoints" / f"react_predictor_{size}.json"
    )
    return _build(PREDICTOR, dataclasses.replace(config, **changes), PREDICTOR_TABLE, seed)


def torch_tensors(variables: Any, config: Any) -> dict[str, np.ndarray]:
    """A model's variables (nested dicts, or what is left of them) under their torch names."""
    table = PREDICTOR_TABLE if isinstance(config, PredictorConfig) else tokenizer_table(config)
    return to_torch(paths(variables), dataclasses.replace(table, constants={}))


def _build(kind: runs.Kind, config: Any, table: Table, seed: int) -> Any:
    abstract = paths(runs.abstract_variables(kind, config))
    empty = {path: np.broadcast_to(np.float32(0), leaf.shape) for path, leaf in abstract.items()}
    tensors = {
        name: table.constants[name] if name in table.constants else _value(name, x.shape, seed)
        for name, x in to_torch(empty, table).items()
    }
    variables = nest(fill(abstract, tensors, table, "recipe"))
    return runs.build(kind, config, jax.tree.map(jnp.asarray, variables))


def _value(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A tensor of the golden checkpoints; VQ's codebook stands as after three vectors a code."""
    embed = name.rpartition("_codebook.")[2]
    if embed == "cluster_size":
        return np.full(shape, 3, np.float32)
    if embed in ("embed", "embed_avg"):
        times = 3 if embed == "embed_avg" else 1
        return (times * recipe._randn("vq.embed", shape, 0)).astype(np.float32)
    return recipe.det_param(name, shape, seed)
