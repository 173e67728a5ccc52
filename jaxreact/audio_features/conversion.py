"""wav2vec2 weights from Hugging Face, a local directory or one file -> the audio encoder."""

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.errors import Remark, UserError, reason_of
from jaxreact.files import building, check_new
from jaxreact.progress import progress
from jaxreact.torch_files.engine import (
    CONV,
    Ignored,
    Rule,
    Table,
    fill,
    nest,
    own_parts,
    paths,
    without_prefix,
)
from jaxreact.torch_files.json_file import read_mapping
from jaxreact.torch_files.names import counted, listed, shown
from jaxreact.torch_files.shards import INDEX, shard_names
from jaxreact.torch_files.sizes import check_sizes
from jaxreact.torch_files.weights import read_weights

HEADS = {
    "lm_head": "a speech recogniser",
    **dict.fromkeys(("quantizer", "project_hid", "project_q"), "the pre-training"),
    **dict.fromkeys(("projector", "classifier", "layer_weights"), "a classifier"),
    **dict.fromkeys(("tdnn", "objective"), "a recogniser of speakers"),
}
"""What Hugging Face's models put beside wav2vec2, and what for."""

TABLE = Table(
    rules=(
        Rule("{at...}.conv.weight", "{at...}.conv.kernel", CONV),
        Rule("{at...}.conv.bias", "{at...}.conv.bias"),
        Rule("{at...}.layer_norm.weight", "{at...}.layer_norm.scale"),
        Rule("{at...}.layer_norm.bias", "{at...}.layer_norm.bias"),
    ),
    ignored=(
        Ignored("encoder.{rest...}", "transformer layers: their output is thrown away (47)"),
        Ignored("masked_spec_embed", "input of the transformer layers in training"),
        Ignored("feature_projection.projection.{rest}", "leads into the transformer layers"),
        Ignored("adapter.{rest...}", "comes after the transformer layers"),
        *(
            Ignored(name, f"head of {what}")
            for head, what in HEADS.items()
            for name in (head, f"{head}.{{rest...}}")
        ),
    ),
    model="a wav2vec2 encoder",
)

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS = tuple(
    name + kind for name in ("model.safetensors", "pytorch_model.bin") for kind in ("", INDEX)
)
"""The first of these that is there is read; an index names further files."""

FIRST = "feature_extractor.conv_layers.0.conv.weight"
PREFIXES = ("", "wav2vec2.", "model.", "sound_feature_extractor.model.")
"""What stands before a key, depending on the model that was saved around the encoder; others may
stand before `wav2vec2.`"""

Encoder = tuple[AudioEncoderConfig, dict[str, Any]]
"""Configuration and variables, as `jaxreact.runs.save_model` takes them."""


def convert_wav2vec2(source: str, out: Path) -> None:
    """wav2vec2 weights (Hugging Face id, directory or file) -> a run directory."""
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source}")
        config, variables = load_wav2vec2(source)
        step("writing the audio encoder")
        origin = {"file": Path(source).name}
        runs.save_model(directory, AUDIO_ENCODER, config, variables, origin=origin)


def load_wav2vec2(source: str | Path) -> Encoder:
    """The convolutional encoder of a wav2vec2 model.

    `source`: a directory with config.json and the weights (safetensors or bin), a weights file
    alone (its sizes are read from the tensors), or a Hugging Face id such as
    `facebook/wav2vec2-base-960h`, which is downloaded. Raises UserError where there is no such
    thing, it is no wav2vec2, or the weights do not fit the configuration.
    """
    path = Path(source)
    if path.is_dir():
        files = {name: path / name for name in (CONFIG, PREPROCESSOR, *WEIGHTS)}
        return _load_files({name: file for name, file in files.items() if file.is_file()}, source)
    if path.is_file():
        tensors = strip_prefix(_read(path), source)
        return from_tensors(tensors, config_of(tensors, source), source)
    if re.fullmatch(r"[\w.-]+(/[\w.-]+)?", str(source)) and path.suffix not in (
        *(".ckpt", ".bin", ".safetensors", ".pt", ".pth"),
    ):
        return _load_files(_download(str(source)), source)
    raise UserError(f"{source}: no such file or directory, and no Hugging Face id")


def _load_files(files: Mapping[str, Path], source: str | Path) -> Encoder:
    weights = next((files[name] for name in WEIGHTS if name in files), None)
    if weights is None or CONFIG not in files:
        raise UserError(f"{source}: needs {CONFIG} and one of {', '.join(WEIGHTS)}")
    fields = read_mapping(files[CONFIG])
    if fields.get("model_type") != "wav2vec2":
        kind = shown(repr(fields.get("model_type")))
        raise UserError(f"{source}: holds a {kind} model, not a wav2vec2")
    do_normalize = True
    if PREPROCESSOR in files:
        do_normalize = bool(read_mapping(files[PREPROCESSOR]).get("do_normalize", True))
    tensors = strip_prefix(_read(weights), weights)
    config = _config(_shapes_of(tensors) | fields, do_normalize, files[CONFIG])
    check_sizes(config, tensors, files[CONFIG], weights, frozenset({"conv_stride"}))
    return from_tensors(tensors, config, weights)


def _config(fields: dict[str, Any], do_normalize: bool, source: Path) -> AudioEncoderConfig:
    from transformers import Wav2Vec2Config

    for name in ("conv_dim", "conv_kernel", "conv_stride"):
        sizes = fields.get(name, (1,))
        if not isinstance(sizes, (list, tuple)) or any(type(x) is not int or x < 1 for x in sizes):
            raise UserError(f"{source}: {name} is {shown(repr(sizes))}, not a list of sizes")
    try:
        config = Wav2Vec2Config(**fields)
        return AudioEncoderConfig.from_wav2vec2(config, do_normalize=do_normalize)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
    except Exception as error:  # transformers checks its fields with errors of its own
        raise UserError(f"{source}: no configuration of a wav2vec2: {reason_of(error)}") from error


def _read(path: Path) -> dict[str, np.ndarray]:
    return read_weights(path, own=own_parts(TABLE))


def _download(name: str) -> dict[str, Path]:
    """The files of a model on Hugging Face, from the local cache where they are in it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    files: dict[str, Path] = {}
    wanted = [CONFIG, PREPROCESSOR, *WEIGHTS]
    for file in wanted:
        if file in WEIGHTS and set(WEIGHTS) & set(files):
            continue
        try:
            files[file] = Path(hf_hub_download(name, file))
        except EntryNotFoundError as error:
            if isinstance(error, LocalEntryNotFoundError):
                raise _unreachable(name, error) from error
        except Exception as error:  # the hub's client raises its transport's own errors too
            raise _unreachable(name, error) from error
        else:
            if file.endswith(INDEX):
                wanted += shard_names(files[file])
    return files


def _unreachable(name: str, error: Exception) -> UserError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(
        f"{name}: no such file or directory here, and it cannot be downloaded from Hugging Face "
        f"({reason}); download it elsewhere and give its directory"
    )


def strip_prefix(tensors: Mapping[str, np.ndarray], source: Any) -> dict[str, np.ndarray]:
    """The tensors by wav2vec2's own names; a `Remark` says what stands around it and is left: the
    head of a classifier, the rest of a predictor of the original. Raises UserError where there is
    no wav2vec2 among them, or more than one.
    """
    before = [name.removesuffix(FIRST) for name in tensors if name.endswith(FIRST)]
    prefixes = [p for p in before if p in PREFIXES or p.endswith(".wav2vec2.")]
    if not prefixes:
        held = f"{counted(len(tensors), 'tensor')}, {listed(tensors)}"
        raise UserError(f"{source}: holds no wav2vec2 (no key ends in {FIRST}): {held}")
    if len(prefixes) > 1:
        raise UserError(f"{source}: holds {len(prefixes)} wav2vec2, at {listed(prefixes)}")
    inside = without_prefix(tensors, prefixes[0])
    outside = Counter(name.split(".")[0] for name in tensors if not name.startswith(prefixes[0]))
    if not prefixes[0]:
        outside = Counter(name.split(".")[0] for name in tensors if name.split(".")[0] in HEADS)
    if outside:
        left = listed(f"{part} ({counted(n, 'tensor')})" for part, n in outside.items())
        warnings.warn(
            f"{source}: left out, since the audio encoder does without: {left}",
            Remark,
            stacklevel=2,
        )
    return inside


def config_of(tensors: Mapping[str, np.ndarray], source: Any) -> AudioEncoderConfig:
    """The configuration, read from the tensors' shapes; strides, which leave no trace in them, are
    wav2vec2's usual ones. Raises UserError where the number of layers is not the usual one."""
    usual = AudioEncoderConfig()
    fields = _shapes_of(tensors)
    if len(fields["conv_dim"]) != len(usual.conv_stride):
        raise UserError(
            f"{source}: {len(fields['conv_dim'])} convolutions, not {len(usual.conv_stride)}: their"
            " strides are unknown; give a directory with config.json"
        )
    return AudioEncoderConfig(**fields)


def _shapes_of(tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What shapes and names say of the configuration, in its words."""
    layer = "feature_extractor.conv_layers.{}.{}".format
    shapes = []
    while (name := layer(len(shapes), "conv.weight")) in tensors and tensors[name].ndim == 3:
        shapes.append(tensors[name].shape)
    return {
        "conv_dim": tuple(shape[0] for shape in shapes),
        "conv_kernel": tuple(shape[2] for shape in shapes),
        "conv_bias": layer(0, "conv.bias") in tensors,
        "feat_extract_norm": "layer" if layer(1, "layer_norm.weight") in tensors else "group",
    }


def from_tensors(
    tensors: Mapping[str, np.ndarray], config: AudioEncoderConfig, source: Any
) -> Encoder:
    """Configuration and variables, from tensors by wav2vec2's own names."""
    abstract = paths(runs.abstract_variables(AUDIO_ENCODER, config))
    return config, nest(fill(abstract, tensors, TABLE, source))
