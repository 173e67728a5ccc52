"""REACT 2026's emotion autoencoder, as its post-processor loads it -> a run directory."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.face import EMOTION_CHANNELS
from jaxreact.files import building, check_new
from jaxreact.metrics.alignment.load import ALIGNMENT
from jaxreact.metrics.alignment.network import AlignmentConfig
from jaxreact.progress import progress
from jaxreact.torch_files.engine import (
    LINEAR,
    ONLY,
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

POSITIONS = Transform(lambda x: x[:, 0], lambda x: x[:, None])
"""torch keeps (positions, 1, features)."""

TABLE = Table(
    rules=(
        Rule("PE.pe", "positions", POSITIONS),
        Rule("encoder.global_tokens", "encoder.global_tokens", ONLY),
        Rule("{at...}.layers.{n}.norm{norm}.weight", "{at...}.{n}.ln_{norm}.scale"),
        Rule("{at...}.layers.{n}.norm{norm}.bias", "{at...}.{n}.ln_{norm}.bias"),
        Rule(
            "{at...}.layers.{n}.linear{i}.weight", "{at...}.{n}.feed_forward.ff_{i}.kernel", LINEAR
        ),
        Rule("{at...}.layers.{n}.linear{i}.bias", "{at...}.{n}.feed_forward.ff_{i}.bias"),
        Rule(
            "{at...}.layers.{n}.{attn}.in_proj_weight", "{at...}.{n}.{attn}.in_proj.kernel", LINEAR
        ),
        Rule("{at...}.layers.{n}.{attn}.in_proj_bias", "{at...}.{n}.{attn}.in_proj.bias"),
        Rule(
            "{at...}.layers.{n}.{attn}.out_proj.weight",
            "{at...}.{n}.{attn}.out_proj.kernel",
            LINEAR,
        ),
        Rule("{at...}.layers.{n}.{attn}.out_proj.bias", "{at...}.{n}.{attn}.out_proj.bias"),
        Rule("{at...}.weight", "{at...}.kernel", LINEAR),
        Rule("{at...}.bias", "{at...}.bias"),
    ),
    model="the alignment network",
)

_SIZES = {
    "in_proj.weight": ("features", EMOTION_CHANNELS),
    "encoder.global_tokens": (1, "twice the tokens", "features"),
    "encoder.transformer_encoder.layers.0.linear1.weight": ("inner", "features"),
    "PE.pe": ("positions", 1, "features"),
}
"""Tensors that say the sizes, and their axes."""


def convert_alignment(source: Path, out: Path) -> None:
    """The challenge's checkpoint.pth of the emotion autoencoder -> a run directory.

    Sizes are those of its tensors; the kind of network is the released one (linear input, an output
    layer for each part, sines and cosines as positions, queries of zeros, mean and variance by
    tokens of their own). Raises UserError for anything that does not fit; `out` is then not
    created.
    """
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = read_weights(source, own=own_parts(TABLE))
        config = _config(tensors, source)
        abstract = paths(runs.abstract_variables(ALIGNMENT, config))
        variables = nest(fill(abstract, tensors, TABLE, source))
        step("writing the network")
        origin = {"file": source.name, **read_training_record(source)}
        runs.save_model(directory, ALIGNMENT, config, variables, origin=origin)


def _config(tensors: Mapping[str, np.ndarray], source: Path) -> AlignmentConfig:
    """The sizes that a file's tensors have. Raises UserError where they have none."""
    for name, axes in _SIZES.items():
        if name not in tensors:
            raise UserError(
                f"{source}: not the alignment network of REACT 2026, there is no {name} in it; give"
                " pretrained_models/post_processor/checkpoint.pth of the challenge"
            )
        shape = tensors[name].shape
        fixed = [(i, axis) for i, axis in enumerate(axes) if isinstance(axis, int)]
        if len(shape) != len(axes) or any(shape[i] != axis for i, axis in fixed):
            expected = f"({', '.join(map(str, axes))})"
            raise UserError(f"{source}: {name} has shape {shape}, {expected} expected")
    both, features = tensors["encoder.global_tokens"].shape[1:]
    if both % 2:
        raise UserError(f"{source}: encoder.global_tokens are {both}, an even number expected")
    try:
        return AlignmentConfig(
            features=features,
            inner=tensors["encoder.transformer_encoder.layers.0.linear1.weight"].shape[0],
            encoder_layers=_layers(tensors, "encoder.transformer_encoder.layers"),
            decoder_layers=_layers(tensors, "decoder.transformer_decoder.layers"),
            tokens=both // 2,
            positions=len(tensors["PE.pe"]),
        )
    except ValueError as error:
        raise UserError(f"{source}: describes no alignment network ({error})") from None


def _layers(tensors: Mapping[str, np.ndarray], prefix: str) -> int:
    """How many layers there are tensors of, wherever their numbers begin."""
    depth = prefix.count(".") + 1
    return len({name.split(".")[depth] for name in tensors if name.startswith(f"{prefix}.")})
