"""The original's `config.yaml` and the checkpoints beside it."""

import dataclasses
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.losses import DECODED_WEIGHT, KL_WEIGHT, LATENT_WEIGHT
from jaxreact.torch_files.names import listed, shown
from jaxreact.torch_files.yaml_block import block_text, read_block

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
    if not source.exists():
        raise UserError(f"{source}: no such file; give the folder of a training")
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
    config = runs.make_config(kind, {n: given[n] for n in names if n in given}, path)
    clip = given.get("seq_len")
    if type(clip) is int and config.window_size > clip:
        raise UserError(
            f"{path}: window_size {config.window_size} is more than seq_len {clip}, its clips; give"
            " the training's own file"
        )
    return config


CLIP_FRAMES = 750
"""Of the original's clips, cut to whole windows."""

_LOSSES: dict[str, dict[str, Any]] = {
    VAE.name: {
        "type": "MSELoss_AE_v2",
        "args": {"w_mse": 1.0, "w_kld": KL_WEIGHT, "w_coeff": 1.0},
    },
    DENOISER.name: {
        "type": "BeLFusionLoss",
        "args": {
            "losses": ["L1Loss", "MSELoss"],
            "losses_multipliers": [LATENT_WEIGHT, DECODED_WEIGHT],
            "losses_decoded": [False, True],
        },
    },
}


def config_text(kind: runs.Kind, config: Any, content: Mapping[str, Any], vae: Path) -> str:
    """The `config.yaml` that the original builds the same model from.

    `content` is what config.json of the run says beside the model; `vae` is where a denoiser's file
    of its VAE will be.
    """
    frames = CLIP_FRAMES // config.window_size * config.window_size or config.window_size
    sizes = {**dataclasses.asdict(config), "dropout": 0.0, "seq_len": frames}
    if kind is VAE:  # of the last two the original reads nothing
        sizes |= {"rnn_type": "gru", "num_layers": 2, "feature_dim": config.z_dim}
    else:
        samples = content.get("stage", {}).get("samples", 1)
        sizes |= {"k": samples, "emotion_dim": 25, "freeze_emotion_encoder": True}
        sizes["emb_emotion_path"] = str(vae)
    training = content.get("training", {})
    optimizer = training.get("optimizer", {})
    batch = training.get("batch_size", 32)
    mentioned = {
        "arch": {"type": CLASSES[kind.name], "args": sizes},
        "loss": _LOSSES[kind.name],
        "optimizer": {
            "lr": optimizer.get("learning_rate", 1e-3 if kind is VAE else 1e-4),
            "weight_decay": optimizer.get("weight_decay", 5e-4),
        },
        "trainer": {
            "mode": "autoencode" if kind is VAE else "predict",
            "epochs": training.get("epochs", 1000 if kind is VAE else 100),
            "resume": None,
            "out_dir": "./results",
            "save_period": 2,
            "val_period": 5,
        },
        "dataset": _data_set("train", frames, batch),
        "validation_dataset": _data_set("val", frames, batch),
        "test_dataset": _data_set("test", frames, batch),
    }
    return block_text(mentioned)


def _data_set(split: str, frames: int, batch: int) -> dict[str, Any]:
    return {
        "dataset_path": "./data",
        "split": split,
        "img_size": 256,
        "crop_size": 224,
        "clip_length": frames,
        "batch_size": batch,
        "shuffle": split == "train",
        "num_workers": 4,
        "load_video": False,
        "load_audio": False,
        "load_emotion": True,
        "load_3dmm": True,
    }
