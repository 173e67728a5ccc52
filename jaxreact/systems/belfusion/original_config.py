"""The original's `config.yaml` and the checkpoints beside it."""

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.torch_files.names import listed, shown
from jaxreact.torch_files.yaml_block import read_block

CONFIG = "config.yaml"

CLASSES = {VAE.name: "AutoencoderRNN_VAE_v2", DENOISER.name: "LatentMLPMatcher"}
"""What the original calls the models."""

_OPTIONAL = {"emotion_dim", "coeff_3dmm_dim", "num_time_emb_channels"}
"""Fields of ours that the original's files need not name."""

_CHECKPOINT = re.compile(r"checkpoint_(\d+)\.pth")


def checkpoint_of(source: Path) -> Path:
    """The checkpoint in a folder that the original's training wrote, or the file itself.

    Of several the last; a `Remark` says so. Raises UserError where there is none.
    """
    if not source.is_dir():
        return source
    found = {
        int(match[1]): path
        for path in source.iterdir()
        if (match := _CHECKPOINT.fullmatch(path.name))
    }
    if not found:
        raise UserError(f"{source}: no checkpoint_N.pth in it; give the folder of a training")
    last = found.pop(max(found))
    if found:
        others = listed(sorted(path.name for path in found.values()))
        warnings.warn(f"{last}: the last checkpoint is taken, not {others}", Remark, stacklevel=2)
    return last


def config_beside(checkpoint: Path) -> Path:
    """The configuration of a checkpoint. Raises UserError where it is missing."""
    path = checkpoint.parent / CONFIG
    if not path.is_file():
        raise UserError(
            f"{path}: no such file; put the {CONFIG} of the training beside the weights"
        )
    return path


def read_config(path: Path, kind: runs.Kind) -> Any:
    """The configuration that the original's `config.yaml` describes.

    Raises UserError where it is of another model, lacks a size, or holds a value that is none.
    """
    found = read_block(path, ("arch",)).get("type")
    if found != CLASSES[kind.name]:
        raise UserError(
            f"{path}: arch.type is {shown(found)}, a {kind.name} is {CLASSES[kind.name]}; give the"
            " folder of its training"
        )
    given = read_block(path, ("arch", "args"))
    if given.get("rnn_type", "gru") != "gru":
        raise UserError(f"{path}: rnn_type is {shown(given['rnn_type'])}; only gru is known")
    names = [field.name for field in dataclasses.fields(kind.config)]
    if missing := [n for n in names if n not in given and n not in _OPTIONAL]:
        raise UserError(f"{path}: lacks {listed(missing)} under arch: args:; add what it was")
    return runs.make_config(kind, {n: given[n] for n in names if n in given}, path)
