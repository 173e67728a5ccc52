"""What `convert_weights.py` does: the original's files -> run directories."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx
from safetensors.numpy import save_file
from tqdm import tqdm

from jaxreact import runs
from jaxreact.convert import wav2vec2
from jaxreact.convert.engine import fill, nest, paths, split_ignored
from jaxreact.convert.original_config import read_config, with_codebook
from jaxreact.convert.tables import (
    AUDIO_ENCODER,
    FACE_GENERATOR,
    INCEPTION,
    PREDICTOR,
    tokenizer_table,
)
from jaxreact.convert.torch_file import read_state_dict, read_training_record
from jaxreact.errors import UserError
from jaxreact.face import COEFFS
from jaxreact.models.face_generator.config import UPSTREAM, FaceGeneratorConfig
from jaxreact.models.inception import FEATURES, InceptionConfig

MODEL = "model."
PARTS = {"tokenizer": "face_tokenizer.model.", "audio_encoder": "sound_feature_extractor.model."}
"""What a predictor's checkpoint also holds, and the prefix of its keys (behaviour 44)."""

UNUSED = "unused.safetensors"
"""Beside a converted predictor: tensors that no model here has, so that the way back is whole."""

FIRST_KEYS = {"predictor": "lt_cm_transformer.wte.weight", "tokenizer": "lm_head_3dmm.weight"}
"""A key that only this kind of model has."""

FID_CLASSES = 1008
"""Class scores of FID's Inception, by which its file is told from ImageNet's with 1000."""

GENERATORS = ("state_dict", "net_G_ema", "net_G")
"""Where a PIRender checkpoint may hold the generator, best first. Upstream's hold it twice: its
average over training is what PIRender renders by. What else they hold (opt_G, sch_G, counters) is
the state of a training with which nothing here goes on."""

WARPING = "warpping_net.hourglass.encoder.input_layer.weight"
"""A key that only PIRender's generator has."""

PIRENDER_LICENCE = "CC BY-NC 4.0"
"""Of PIRender's weights, and so of what is converted from them."""

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
    with _building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = _read(source, "tokenizer")
        model = read_config("tokenizer", config)
        variables = _fill("tokenizer", model, tensors, source)
        step("writing the tokenizer")
        runs.save_model(directory, "tokenizer", model, variables, origin=_origin(source), **extra)


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
    with _building(out) as directory, progress(5) as step:
        step(f"reading {source.name}")
        tensors = _read(source, "predictor")
        own = {name: x for name, x in tensors.items() if name.startswith(MODEL)}
        parts, unused = _companions(tensors, tokenizer_config, source)
        model = read_config("predictor", config)
        if "tokenizer" in parts:
            model = with_codebook(model, parts["tokenizer"][0])
        elif tokenizer_config is not None:
            model = with_codebook(model, read_config("tokenizer", tokenizer_config))
        variables = _fill("predictor", model, own, source)
        origin = _origin(source)
        step("writing the predictor")
        runs.save_model(directory, "predictor", model, variables, origin=origin)
        for kind, (part, variables) in parts.items():
            step(f"writing the {kind}")
            extra = mean if kind == "tokenizer" else {}
            runs.save_model(directory / kind, kind, part, variables, origin=origin, **extra)
        step("writing what is unused")
        if unused:
            whole = {name: np.array(x, order="C") for name, x in unused.items()}
            save_file(whole, directory / UNUSED)


def convert_wav2vec2(source: str, out: Path) -> None:
    """wav2vec2 weights (Hugging Face id, directory or file) -> a run directory."""
    with _building(out) as directory, progress(2) as step:
        step(f"reading {source}")
        config, variables = wav2vec2.load_wav2vec2(source)
        step("writing the audio encoder")
        origin = {"file": Path(source).name}
        runs.save_model(directory, "audio_encoder", config, variables, origin=origin)


def convert_inception(source: Path, out: Path) -> None:
    """FID's Inception weights, as torch-fidelity and pytorch-fid publish them -> a run directory.

    Raises as `convert_tokenizer` does, also for ImageNet's Inception, whose keys are the same.
    """
    with _building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = read_state_dict(source)
        scores = tensors.get("fc.weight", np.empty(0)).shape
        if scores != (FID_CLASSES, FEATURES):
            found = (
                f"its fc.weight is {scores}" if "fc.weight" in tensors else "it has no fc.weight"
            )
            raise UserError(
                f"{source}: not the Inception of FID: {found}, not {(FID_CLASSES, FEATURES)}; give"
                " weights-inception-2015-12-05-6726825d.pth"
            )
        config = InceptionConfig()
        abstract = paths(nnx.to_pure_dict(runs.abstract_model("inception", config)[1]))
        variables = nest(fill(abstract, tensors, INCEPTION, source))
        step("writing the network")
        runs.save_model(directory, "inception", config, variables, origin={"file": source.name})


def convert_pirender(source: Path, out: Path) -> None:
    """PIRender's face generator, the challenge baseline's or upstream's -> a run directory.

    The weights' licence forbids commercial use, before and after; `out`/config.json says so. Raises
    as `convert_tokenizer` does.
    """
    with _building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = read_state_dict(source, GENERATORS)
        if all(name.startswith("module.") for name in tensors):  # as DistributedDataParallel saves
            tensors = _take(tensors, "module.")
        if WARPING not in tensors:
            raise UserError(
                f"{source}: not PIRender's face generator, there is no {WARPING} in it; give the"
                " challenge baseline's cur_model_fold.pth or a checkpoint of PIRender"
            )
        baseline = any(name.startswith("mapping_net.pre.") for name in tensors)
        config = FaceGeneratorConfig() if baseline else UPSTREAM
        abstract = paths(nnx.to_pure_dict(runs.abstract_model("face_generator", config)[1]))
        variables = nest(fill(abstract, tensors, FACE_GENERATOR, source))
        step("writing the network")
        origin = {"file": source.name, "licence": PIRENDER_LICENCE}
        runs.save_model(directory, "face_generator", config, variables, origin=origin)
    print(f"{out}: {PIRENDER_LICENCE}, as the weights it was made from: not for commercial use")


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
    if encoder := _take(tensors, PARTS["audio_encoder"]):
        config = wav2vec2.config_of(encoder, source)
        parts["audio_encoder"] = wav2vec2.from_tensors(encoder, config, source)
        ignored = split_ignored(encoder, AUDIO_ENCODER)[1]
        unused |= {PARTS["audio_encoder"] + name: x for name, x in ignored.items()}
    return parts, unused


def read_mean_face(path: Path) -> list[float]:
    """The 58 numbers of the data set's mean_face.npy. Raises UserError where they are not."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: not a readable .npy file: {error}") from error
    if not isinstance(values, np.ndarray) or values.size != COEFFS or values.dtype.kind != "f":
        raise UserError(f"{path}: a mean face is {COEFFS} floating-point numbers")
    if not np.isfinite(values).all():
        raise UserError(f"{path}: the mean face holds numbers that are not finite")
    return values.astype(np.float32).reshape(-1).tolist()


def kind_of(names: Iterable[str]) -> str | None:
    """Which of the original's models a checkpoint's keys belong to."""
    for kind, first in FIRST_KEYS.items():
        if any(first in name and not name.startswith(tuple(PARTS.values())) for name in names):
            return kind
    return None


def _read(source: Path, kind: str) -> Tensors:
    """The tensors of a checkpoint that holds this kind of model, by the original's names."""
    tensors = read_state_dict(source)
    found = kind_of(tensors)
    if found != kind:
        what = f"a {found}" if found else "neither a tokenizer nor a predictor of the original"
        hint = f"; use `convert_weights.py {found}`" if found else ""
        raise UserError(f"{source}: expected a {kind}, but it holds {what}{hint}")
    if not any(name.startswith(MODEL) for name in tensors):
        tensors = {MODEL + name: x for name, x in tensors.items()}
    known = (MODEL, *PARTS.values()) if kind == "predictor" else (MODEL,)
    strangers = [name for name in tensors if not name.startswith(known)]
    if strangers:
        raise UserError(f"{source}: unknown keys: {', '.join(strangers)}")
    return tensors


def _take(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}


def _fill(
    kind: str, model: Any, tensors: Tensors, source: Path, prefix: str = MODEL
) -> runs.Variables:
    """The variables of a model from the tensors with this prefix."""
    abstract = paths(nnx.to_pure_dict(runs.abstract_model(kind, model)[1]))
    table = tokenizer_table(model) if kind == "tokenizer" else PREDICTOR
    return nest(fill(abstract, _take(tensors, prefix), table, source, prefix))


def _embedded_tokenizer(tensors: Tensors, config: Path | None, source: Path) -> Part | None:
    """The tokenizer in a predictor's file, if there is one and its configuration is known."""
    prefix = PARTS["tokenizer"]
    if not any(name.startswith(prefix) for name in tensors):
        return None
    model = read_config("tokenizer", config)
    try:
        return model, _fill("tokenizer", model, tensors, source, prefix)
    except UserError:
        if config is not None:
            raise
        note = "the tokenizer in it does not have the released sizes, so it is not converted"
        print(f"{source}: {note}; give them by --tokenizer-config", file=sys.stderr)
        return None


def _origin(source: Path) -> dict[str, Any]:
    return {"file": source.name, **read_training_record(source)}


@contextmanager
def progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Yields a function that names the step which begins; shown if stderr is a terminal."""
    with tqdm(total=steps, disable=None, unit="step", leave=False) as bar:

        def step(name: str) -> None:
            bar.set_description(name)
            bar.update()

        yield step


@contextmanager
def _building(out: Path) -> Iterator[Path]:
    """Yields a directory beside `out` to build in; it becomes `out` when all is written."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: exists already; remove it or choose another name")
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield beside / out.name
        os.replace(beside / out.name, out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
