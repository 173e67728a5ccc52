"""wav2vec2 weights from Hugging Face, a local directory or one file -> the audio encoder."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.errors import UserError
from jaxreact.files import building, check_new
from jaxreact.progress import progress
from jaxreact.torch_files.engine import CONV, Ignored, Rule, Table, fill, nest, paths
from jaxreact.torch_files.torch_file import read_state_dict

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
        Ignored("lm_head.{rest}", "head of the speech recogniser"),
        Ignored("quantizer.{rest...}", "head of the pre-training"),
        Ignored("project_hid.{rest}", "head of the pre-training"),
        Ignored("project_q.{rest}", "head of the pre-training"),
    ),
)

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
PREFIXES = ("", "wav2vec2.", "model.", "sound_feature_extractor.model.")
"""What stands before a key, depending on the model that was saved around the encoder."""

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
        tensors = strip_prefix(read_state_dict(path), source)
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
    fields = _read_json(files[CONFIG])
    if fields.get("model_type") != "wav2vec2":
        raise UserError(f"{source}: holds a {fields.get('model_type')!r} model, not a wav2vec2")
    do_normalize = True
    if PREPROCESSOR in files:
        do_normalize = bool(_read_json(files[PREPROCESSOR]).get("do_normalize", True))
    from transformers import Wav2Vec2Config

    config = AudioEncoderConfig.from_wav2vec2(Wav2Vec2Config(**fields), do_normalize=do_normalize)
    return from_tensors(strip_prefix(read_state_dict(weights), weights), config, weights)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a readable JSON file: {error}") from error
    if not isinstance(fields, dict):
        raise UserError(f"{path}: not a mapping")
    return fields


def _download(name: str) -> dict[str, Path]:
    """The files of a model on Hugging Face, from the local cache where they are in it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    files: dict[str, Path] = {}
    for file in (CONFIG, PREPROCESSOR, *WEIGHTS):
        if file == WEIGHTS[1] and WEIGHTS[0] in files:
            break
        try:
            files[file] = Path(hf_hub_download(name, file))
        except EntryNotFoundError as error:
            if isinstance(error, LocalEntryNotFoundError):
                raise _unreachable(name, error) from error
        except Exception as error:  # the hub's client raises its transport's own errors too
            raise _unreachable(name, error) from error
    return files


def _unreachable(name: str, error: Exception) -> UserError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(
        f"{name}: no such file or directory here, and it cannot be downloaded from Hugging Face "
        f"({reason}); download it elsewhere and give its directory"
    )


def strip_prefix(tensors: Mapping[str, np.ndarray], source: Any) -> dict[str, np.ndarray]:
    """The tensors by wav2vec2's own names. Raises UserError where there is no wav2vec2 among them.

    Of a whole predictor checkpoint of the original, only the wav2vec2 part is kept.
    """
    first = "feature_extractor.conv_layers.0.conv.weight"
    prefix = next((prefix for prefix in PREFIXES if prefix + first in tensors), None)
    if prefix is None:
        raise UserError(f"{source}: holds no wav2vec2 (no key ends in {first})")
    alone = not prefix.startswith("sound_feature_extractor")
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if alone or name.startswith(prefix)
    }


def config_of(tensors: Mapping[str, np.ndarray], source: Any) -> AudioEncoderConfig:
    """The configuration, read from the tensors' shapes; strides, which leave no trace in them, are
    wav2vec2's usual ones. Raises UserError where the number of layers is not the usual one."""
    usual = AudioEncoderConfig()
    layer = "feature_extractor.conv_layers.{}.{}".format
    shapes = []
    while (name := layer(len(shapes), "conv.weight")) in tensors:
        shapes.append(tensors[name].shape)
    if len(shapes) != len(usual.conv_stride) or any(len(shape) != 3 for shape in shapes):
        raise UserError(
            f"{source}: {len(shapes)} convolutions, not {len(usual.conv_stride)}: their strides "
            "are unknown; give a directory with config.json"
        )
    return AudioEncoderConfig(
        conv_dim=tuple(shape[0] for shape in shapes),
        conv_kernel=tuple(shape[2] for shape in shapes),
        conv_bias=layer(0, "conv.bias") in tensors,
        feat_extract_norm="layer" if layer(1, "layer_norm.weight") in tensors else "group",
    )


def from_tensors(
    tensors: Mapping[str, np.ndarray], config: AudioEncoderConfig, source: Any
) -> Encoder:
    """Configuration and variables, from tensors by wav2vec2's own names."""
    abstract = paths(runs.abstract_variables(AUDIO_ENCODER, config))
    return config, nest(fill(abstract, tensors, TABLE, source))
