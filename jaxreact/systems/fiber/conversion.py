"""The original's Lightning checkpoints -> run directories, and which tensor goes where."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from jaxreact import runs
from jaxreact.audio_features import conversion as wav2vec2
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.errors import NotFiniteError, UserError
from jaxreact.files import building, check_new
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.progress import progress
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.original_config import read_config, with_codebook
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.mean_face import read_mean_face
from jaxreact.torch_files.engine import (
    LINEAR,
    ONLY,
    Rule,
    Table,
    fill,
    nest,
    own_parts,
    paths,
    split_ignored,
    without_prefix,
)
from jaxreact.torch_files.names import counted, listed
from jaxreact.torch_files.shards import INDEX
from jaxreact.torch_files.sizes import check_sizes
from jaxreact.torch_files.torch_file import read_training_record
from jaxreact.torch_files.weights import read_weights

MODEL = "model."
PARTS = {"tokenizer": "face_tokenizer.model.", "audio_encoder": "sound_feature_extractor.model."}
"""What a predictor's checkpoint also holds, and the prefix of its keys (behaviour 44)."""

PART_KINDS = {"tokenizer": TOKENIZER, "audio_encoder": AUDIO_ENCODER}

UNUSED = "unused.safetensors"
"""Beside a converted predictor: tensors that no model here has, so that the way back is whole."""

FIRST_KEYS = {"predictor": "lt_cm_transformer.wte.weight", "tokenizer": "lm_head_3dmm.weight"}
"""A key that only this kind of model has."""

TRANSFORMER = (
    Rule("{at...}.ln_{which}.weight", "{at...}.ln_{which}.scale"),
    Rule("{at...}.wte{which}.weight", "{at...}.wte{which}.embedding"),
    Rule("{at...}.wpe{which}.weight", "{at...}.wpe{which}.embedding"),
    Rule("{at...}.wpw{which}.weight", "{at...}.wpw{which}.embedding"),
    Rule("{at...}.gated_alpha", "{at...}.gated_alpha"),
    Rule("{at...}.weight", "{at...}.kernel", LINEAR),
    Rule("{at...}.bias", "{at...}.bias"),
)
"""The names that tokenizer and predictor share; all that remains is linear layers."""

QUANTIZER = (
    Rule("quantize.quantize._codebook.embed", "quantize.embed", ONLY),
    Rule("quantize.quantize._codebook.embed_avg", "quantize.embed_avg", ONLY),
    Rule("quantize.quantize._codebook.cluster_size", "quantize.cluster_size", ONLY),
    Rule("quantize.quantize.{projection}.weight", "quantize.{projection}.kernel", LINEAR),
    Rule("quantize.quantize.{projection}.bias", "quantize.{projection}.bias"),
)

PREDICTOR_TABLE = Table(rules=TRANSFORMER, model="a predictor")


def tokenizer_table(config: FaceTokenizerConfig) -> Table:
    """The tokenizer's table; what its quantiser stores besides weights depends on the kind."""
    constants: dict[str, np.ndarray] = {}
    if config.quantize_type == "vq":
        # 1: the codebook has had its k-means start. An untrained one has nothing to convert.
        constants["quantize.quantize._codebook.initted"] = np.ones(1, np.float32)
    if config.quantize_type == "lfq":
        bits = config.codebook_size.bit_length() - 1
        constants["quantize.quantize.mask"] = 2 ** np.arange(bits - 1, -1, -1, dtype=np.int64)
    return Table(rules=QUANTIZER + TRANSFORMER, constants=constants, model="a face tokenizer")


UNSEEN = frozenset(
    {"quantize_codebook_size", "quantize_levels", "vocab_sound_size", "sound_factor"}
)
"""Sizes that leave no trace in the weights, or not in those of every model."""

Tensors = dict[str, np.ndarray]
Part = tuple[Any, runs.Variables]
"""Configuration and variables of one model."""


def convert_tokenizer(
    source: Path, out: Path, config: Path | None = None, mean_face: Path | None = None
) -> None:
    """A Lightning checkpoint of the original's tokenizer -> a run directory.

    `config`: JSON in the original's names. `mean_face`: the data set's mean_face.npy (58,), kept
    with the model. Raises UserError for anything that does not fit; `out` is then not created.
    """
    extra = {} if mean_face is None else {"mean_face": read_mean_face(mean_face)}
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = _read(source, "tokenizer")
        model = _config(TOKENIZER, config, tensors, source)
        variables = _fill(TOKENIZER, model, tensors, source)
        step("writing the tokenizer")
        runs.save_model(directory, TOKENIZER, model, variables, origin=_origin(source), **extra)


def convert_predictor(
    source: Path,
    out: Path,
    config: Path | None = None,
    tokenizer_config: Path | None = None,
    mean_face: Path | None = None,
) -> None:
    """A Lightning checkpoint of the original's predictor -> a run directory.

    The tokenizer and the wav2vec2 encoder that the file also carries become `out`/tokenizer and
    `out`/audio_encoder; what no model here has is kept in `out`/unused.safetensors for the way
    back. A tokenizer of other sizes than the released one needs `tokenizer_config`; without it, it
    is left among the unused, and a note says so. Raises as `convert_tokenizer` does.
    """
    mean = {} if mean_face is None else {"mean_face": read_mean_face(mean_face)}
    check_new(out)
    with building(out) as directory, progress(5) as step:
        step(f"reading {source.name}")
        tensors = _read(source, "predictor")
        own = {name: x for name, x in tensors.items() if name.startswith(MODEL)}
        parts, unused = _companions(tensors, tokenizer_config, source)
        model = _config(PREDICTOR, config, tensors, source)
        if "tokenizer" in parts:
            model = with_codebook(model, parts["tokenizer"][0])
        elif tokenizer_config is not None:
            tokenizer = _config(TOKENIZER, tokenizer_config, tensors, source)
            model = with_codebook(model, tokenizer)
        variables = _fill(PREDICTOR, model, own, source)
        origin = _origin(source)
        step("writing the predictor")
        prints = {name: fingerprint(*part) for name, part in parts.items()}
        runs.save_model(directory, PREDICTOR, model, variables, origin=origin, parts=prints)
        for name, (part, variables) in parts.items():
            step(f"writing the {name}")
            extra = mean if name == "tokenizer" else {}
            runs.save_model(
                directory / name, PART_KINDS[name], part, variables, origin=origin, **extra
            )
        step("writing what is unused")
        if unused:
            whole = {name: np.array(x, order="C") for name, x in unused.items()}
            save_file(whole, directory / UNUSED)


def _companions(
    tensors: Tensors, tokenizer_config: Path | None, source: Path
) -> tuple[dict[str, Part], Tensors]:
    """The other models in a predictor's file, and the tensors that none of them has."""
    parts: dict[str, Part] = {}
    unused: Tensors = {}
    if tokenizer := _embedded_tokenizer(tensors, tokenizer_config, source):
        parts["tokenizer"] = tokenizer
    else:
        unused |= {name: x for name, x in tensors.items() if name.startswith(PARTS["tokenizer"])}
    if encoder := without_prefix(tensors, PARTS["audio_encoder"]):
        config = wav2vec2.config_of(encoder, source)
        parts["audio_encoder"] = wav2vec2.from_tensors(encoder, config, source)
        ignored = split_ignored(encoder, wav2vec2.TABLE)[1]
        unused |= {PARTS["audio_encoder"] + name: x for name, x in ignored.items()}
    return parts, unused


def kind_of(names: Iterable[str]) -> str | None:
    """Which of the original's models a checkpoint's keys belong to."""
    for kind, first in FIRST_KEYS.items():
        if any(first in name and not name.startswith(tuple(PARTS.values())) for name in names):
            return kind
    return None


def _read(source: Path, kind: str) -> Tensors:
    """The tensors of a checkpoint that holds this kind of model, by the original's names."""
    tensors = read_weights(source, own=own_parts(Table(rules=QUANTIZER + TRANSFORMER)))
    held = kind_of(tensors)
    if held != kind:
        what = f"a {held}" if held else "neither a tokenizer nor a predictor of the original"
        found = f": {counted(len(tensors), 'tensor')}, {listed(tensors)}"
        hint = f"; use `convert_weights.py {held}`" if held else found
        raise UserError(f"{source}: expected a {kind}, but it holds {what}{hint}")
    if not any(name.startswith(MODEL) for name in tensors):
        others = tuple(PARTS.values())
        tensors = {n if n.startswith(others) else MODEL + n: x for n, x in tensors.items()}
    known = (MODEL, *PARTS.values()) if kind == "predictor" else (MODEL,)
    strangers = [name for name in tensors if not name.startswith(known)]
    if strangers:
        raise UserError(
            f"{source}: has {counted(len(strangers), 'tensor')} that a {kind} of the original does"
            f" not know: {listed(strangers)}"
        )
    return tensors


def _config(kind: runs.Kind, path: Path | None, tensors: Tensors, source: Path) -> Any:
    """The configuration in a JSON file; its sizes can be those of the tensors."""
    config = read_config(kind, path)
    if path is not None:
        check_sizes(config, tensors, path, source, UNSEEN)
    return config


def _fill(
    kind: runs.Kind, model: Any, tensors: Tensors, source: Path, prefix: str = MODEL
) -> runs.Variables:
    """The variables of a model from the tensors with this prefix."""
    abstract = paths(runs.abstract_variables(kind, model))
    table = tokenizer_table(model) if kind is TOKENIZER else PREDICTOR_TABLE
    return nest(fill(abstract, without_prefix(tensors, prefix), table, source, prefix))


def _embedded_tokenizer(tensors: Tensors, config: Path | None, source: Path) -> Part | None:
    """The tokenizer in a predictor's file, if there is one and its configuration is known."""
    prefix = PARTS["tokenizer"]
    if not any(name.startswith(prefix) for name in tensors):
        return None
    model = _config(TOKENIZER, config, tensors, source)
    try:
        return model, _fill(TOKENIZER, model, tensors, source, prefix)
    except NotFiniteError:
        raise
    except UserError:
        if config is not None:
            raise
        note = "the tokenizer in it does not have the released sizes, so it is not converted"
        print(f"{source}: {note}; give them by --tokenizer-config", file=sys.stderr)
        return None


def _origin(source: Path) -> dict[str, Any]:
    record = {} if source.name.endswith(INDEX) else read_training_record(source)
    return {"file": source.name, **record}
