"""The original's Trans-VAE checkpoints -> run directories, and which tensor goes where."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from jaxreact import runs
from jaxreact.audio_features.mfcc import MFCC_FEATURES
from jaxreact.errors import Remark, UserError
from jaxreact.files import building, check_new
from jaxreact.nn.positions import positions
from jaxreact.progress import progress
from jaxreact.systems.mean_face import read_mean_face
from jaxreact.systems.trans_vae.config import LONGEST_WINDOW, Mode, TransVAEConfig
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.torch_files.engine import (
    LINEAR,
    Rule,
    Table,
    Transform,
    fill,
    nest,
    own_parts,
    paths,
)
from jaxreact.torch_files.torch_file import read_training_record
from jaxreact.torch_files.weights import read_weights

PER_FRAME = Transform(
    lambda x: x[:, :, 0].transpose(2, 3, 1, 0), lambda x: x.transpose(3, 2, 0, 1)[:, :, None]
)
"""torch keeps (out, in, 1 frame, height, width), we (height, width, in, out)."""

TABLE = Table(
    rules=(
        Rule("{at...}.Conv3D.conv{n}.weight", "{at...}.conv{n}.kernel", PER_FRAME),
        Rule("{at...}.layers.0.norm{n}.weight", "{at...}.ln_{n}.scale"),
        Rule("{at...}.layers.0.norm{n}.bias", "{at...}.ln_{n}.bias"),
        Rule("{at...}.layers.0.linear{n}.weight", "{at...}.feed_forward.ff_{n}.kernel", LINEAR),
        Rule("{at...}.layers.0.linear{n}.bias", "{at...}.feed_forward.ff_{n}.bias"),
        Rule("{at...}.layers.0.{attn}.in_proj_weight", "{at...}.{attn}.in_proj.kernel", LINEAR),
        Rule("{at...}.layers.0.{attn}.in_proj_bias", "{at...}.{attn}.in_proj.bias"),
        Rule("{at...}.layers.0.{attn}.out_proj.weight", "{at...}.{attn}.out_proj.kernel", LINEAR),
        Rule("{at...}.layers.0.{attn}.out_proj.bias", "{at...}.{attn}.out_proj.bias"),
        Rule("{at...}.lstm.weight_ih_l0", "{at...}.lstm.input.kernel", LINEAR),
        Rule("{at...}.lstm.weight_hh_l0", "{at...}.lstm.hidden.kernel", LINEAR),
        Rule("{at...}.lstm.bias_ih_l0", "{at...}.lstm.input.bias"),
        Rule("{at...}.lstm.bias_hh_l0", "{at...}.lstm.hidden.bias"),
        Rule(
            "{at...}.listener_reaction_emotion_map_layer.0.weight",
            "{at...}.emotion_1.kernel",
            LINEAR,
        ),
        Rule("{at...}.listener_reaction_emotion_map_layer.0.bias", "{at...}.emotion_1.bias"),
        Rule(
            "{at...}.listener_reaction_emotion_map_layer.1.weight",
            "{at...}.emotion_2.kernel",
            LINEAR,
        ),
        Rule("{at...}.listener_reaction_emotion_map_layer.1.bias", "{at...}.emotion_2.bias"),
        Rule("{at...}.{which}_token", "{at...}.{which}_token"),
        Rule("{at...}.weight", "{at...}.kernel", LINEAR),
        Rule("{at...}.bias", "{at...}.bias"),
    ),
    model="Trans-VAE",
)

POSITIONS = "reaction_decoder.PE.pe"
"""The sines and cosines that the original keeps in its file though they follow from the width."""
POSITIONS_KEPT = 5000
KEPT = "kept.safetensors"
"""Beside a converted model: these as they were in the file, for the way back bit for bit. Another
library's sines differ in the last digit."""
_POSITIONS_TOLERANCE = 2e-3
"""Of angles up to 5000 in float32."""

WINDOW = 8
"""What the original's evaluation takes where nothing is said, whatever was trained with (B4)."""


def convert_trans_vae(
    source: Path,
    out: Path,
    window: int | None = None,
    mean_face: Path | None = None,
    mode: Mode = "corrected",
) -> None:
    """A checkpoint of the original's train.py, offline or online -> a run directory.

    `window`: frames of an online step, which the file does not say; 8, as in the original's
    evaluation, and a `Remark`, where it is not given. `mean_face`: the data set's mean_face.npy
    (58,), kept with the model. Raises UserError for anything that does not fit; `out` is then not
    created.
    """
    extra = {} if mean_face is None else {"mean_face": read_mean_face(mean_face)}
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = read_weights(source, own=own_parts(TABLE))
        config = _config(tensors, source, window, mode)
        kept = {POSITIONS: tensors.pop(POSITIONS)} if POSITIONS in tensors else {}
        _check_positions(kept, config, source)
        abstract = paths(runs.abstract_variables(TRANS_VAE, config))
        variables = nest(fill(abstract, tensors, TABLE, source))
        step("writing the model")
        origin = {"file": source.name, **read_training_record(source)}
        runs.save_model(directory, TRANS_VAE, config, variables, origin=origin, **extra)
        if kept:
            save_file({name: np.array(x, order="C") for name, x in kept.items()}, directory / KEPT)


def _config(
    tensors: dict[str, np.ndarray], source: Path, window: int | None, mode: Mode
) -> TransVAEConfig:
    """The configuration that a file's tensors have. Raises UserError where they have none."""
    name = "speaker_behaviour_encoder.audio_feature_map.weight"
    first = tensors.get(name)
    if first is None:
        raise UserError(
            f"{source}: not Trans-VAE of the original, there is no {name} in it; give a"
            " best_checkpoint.pth of its train.py"
        )
    if first.ndim != 2 or first.shape[1] != MFCC_FEATURES:
        raise UserError(
            f"{source}: {name} has shape {first.shape}, (features, {MFCC_FEATURES}) expected"
        )
    online = any(name.startswith("reaction_decoder.lstm.") for name in tensors)
    if not online and window is not None:
        raise UserError(f"{source}: an offline model, which has no window; leave out --window")
    if online and window is None:
        remark = f"the window is not in the file and taken to be {WINDOW} frames; give --window"
        warnings.warn(f"{source}: {remark}", Remark, stacklevel=3)
    if window is not None and not 1 <= window <= LONGEST_WINDOW:
        raise UserError(f"--window {window} is not 1 to {LONGEST_WINDOW}")
    try:
        return TransVAEConfig(first.shape[0], online=online, window=window or WINDOW, mode=mode)
    except ValueError as error:
        raise UserError(f"{source}: describes no Trans-VAE ({error})") from None


def _check_positions(kept: dict[str, Any], config: TransVAEConfig, source: Path) -> None:
    """Raises UserError where the file's positions are not those that the model computes."""
    for name, found in kept.items():
        expected = all_positions(config)
        if found.shape != expected.shape or found.dtype != expected.dtype:
            raise UserError(
                f"{source}: {name} has shape {found.shape} ({found.dtype}), {expected.shape}"
                " (float32) expected; it is another model"
            )
        if not np.allclose(found, expected, rtol=0, atol=_POSITIONS_TOLERANCE):
            raise UserError(
                f"{source}: {name} holds other numbers than the model has; convert a "
                "checkpoint of the original's code"
            )


def all_positions(config: TransVAEConfig) -> np.ndarray:
    """(5000, 1, features), as the original keeps them."""
    return positions(POSITIONS_KEPT, config.features)[:, None]
