"""Run directories -> checkpoints that the original loads."""

import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from jaxreact import runs
from jaxreact.audio_features.conversion import TABLE as AUDIO_ENCODER_TABLE
from jaxreact.errors import UserError
from jaxreact.progress import progress
from jaxreact.systems.fiber.conversion import (
    MODEL,
    PART_KINDS,
    PARTS,
    PREDICTOR_TABLE,
    UNUSED,
    tokenizer_table,
)
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.torch_files.json_file import read_mapping
from jaxreact.torch_files.write import save, the_torch

LIGHTNING = "2.2.1"
"""The version of Lightning that the original pins; it decides how a checkpoint is read."""

COMPLETE = {
    PARTS["tokenizer"]: "the tokenizer",
    PARTS["audio_encoder"] + "encoder.": "wav2vec2's unused transformer layers",
}
"""What the original's predictor file has besides the predictor, by the start of its keys."""


def write_torch(run: Path, out: Path) -> None:
    """A tokenizer's or predictor's run directory -> a Lightning checkpoint of the original.

    The keys are those of the original (behaviour 44): a predictor's file also holds the tokenizer
    and the audio encoder that lie in its directory, and what conversion had kept. Tensors are the
    same bit for bit. Needs torch. Raises UserError where it is missing, or `run` is something else.
    """
    torch = the_torch()
    kind = _kind(run)
    with progress(2) as step:
        step(f"reading {run}")
        tensors = model_tensors(run, kind, MODEL)
        if kind is PREDICTOR:
            tensors |= _companions(run, out)
        state = OrderedDict((name, torch.from_numpy(x)) for name, x in tensors.items())
        step(f"writing {out}")
        save(_checkpoint(state, run), out)


def _companions(run: Path, out: Path) -> dict[str, np.ndarray]:
    """The tensors of the other models in a predictor's file, as far as its directory has them."""
    tensors: dict[str, np.ndarray] = {}
    for part, prefix in PARTS.items():
        if (run / part).is_dir():
            tensors |= model_tensors(run / part, PART_KINDS[part], prefix)
    if (run / UNUSED).is_file():
        tensors |= load_file(run / UNUSED)
    for prefix, what in COMPLETE.items():
        if not any(name.startswith(prefix) for name in tensors):
            print(f"{out}: without {what}, load it with strict=False", file=sys.stderr)
    return tensors


def model_tensors(run: Path, kind: runs.Kind, prefix: str) -> dict[str, np.ndarray]:
    """The torch tensors of one run directory, `prefix` before each name."""
    config, _ = runs.read_config(run, kind)
    for option in ("relative_pose", "block_causal", "traits"):
        if getattr(config, option, False):
            raise UserError(f"{run}: was trained with {option}, which the original does not know")
    variables = paths(runs.load_variables(run, kind, config))
    fixed = {"predictor": PREDICTOR_TABLE, "audio_encoder": AUDIO_ENCODER_TABLE}
    table = tokenizer_table(config) if kind is TOKENIZER else fixed[kind.name]
    tensors = to_torch(variables, table)
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _content(run: Path) -> dict[str, Any]:
    """What config.json says."""
    if not (run / "config.json").is_file():
        raise UserError(f"{run}: not the directory of a model; give one that holds a config.json")
    return read_mapping(run / "config.json", "not the directory of a model")


def _kind(run: Path) -> runs.Kind:
    name = _content(run).get("kind")
    for kind in (TOKENIZER, PREDICTOR):
        if name == kind.name:
            return kind
    raise UserError(f"{run}: kind is {name!r}; the original has no such checkpoint")


def _checkpoint(state: "OrderedDict[str, Any]", run: Path) -> dict[str, Any]:
    """What Lightning writes around a state dict, with nothing of the training in it."""
    origin = _content(run).get("origin", {})
    return {
        "epoch": origin.get("epoch", 0),
        "global_step": origin.get("global_step", 0),
        "pytorch-lightning_version": LIGHTNING,
        "state_dict": state,
        "loops": {},
        "callbacks": {},
        "optimizer_states": [],
        "lr_schedulers": [],
    }
