"""The original's checkpoints of Learning2Listen -> run directories."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.files import building, check_new
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.predictions.npz import map_npz
from jaxreact.progress import progress
from jaxreact.systems.learning2listen.config import (
    DECA,
    AudioKind,
    CodeLayout,
    Mode,
    Padding,
    check_fit,
)
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.original_config import config_of, read_config, statistics_of
from jaxreact.systems.learning2listen.tables import (
    coder_table,
    listener_table,
    table_of,
    with_narrow_counts,
)
from jaxreact.torch_files.engine import fill, nest, own_parts, paths
from jaxreact.torch_files.names import counted, listed
from jaxreact.torch_files.sizes import check_sizes
from jaxreact.torch_files.torch_file import read_training_record
from jaxreact.torch_files.weights import read_weights

PREFIX = "module."
"""DataParallel's, before all names in the original's files."""

CONFIG, STATISTICS = "original_config.json", "preprocess_core.npz"
"""The original's own files beside a converted model, which go back with the weights."""

FIRST_KEYS = {CODER.name: "quantize.embedding.weight", LISTENER.name: "audio_projector.weight"}
"""A key that only this kind of model has."""

COMMANDS = {CODER.name: "learning2listen-vqvae", LISTENER.name: "learning2listen"}
"""Of convert_weights.py."""

MEASURES = {
    CODER.name: {"statistics": "Y"},
    LISTENER.name: {"statistics.motion": "X", "statistics.audio": "audio"},
}
"""Our names of statistics -> how those in the original's file end: X is the speaker, Y the
listener."""


@dataclass(frozen=True)
class Sources:
    """The files of one of the original's models; what is None lies beside the checkpoint."""

    checkpoint: Path
    config: Path | None = None
    """JSON; the released sizes where there is none beside either."""
    statistics: Path | None = None
    """..._preprocess_core.npz."""


@dataclass(frozen=True)
class Converted:
    """A model as its run directory will hold it."""

    kind: runs.Kind
    config: Any
    variables: runs.Variables
    extra: dict[str, Any]
    """What else config.json says."""
    files: dict[str, Path]
    """The original's own, by their names in the run directory."""

    def write(self, out: Path, **more: Any) -> None:
        """Writes the run directory."""
        runs.save_model(out, self.kind, self.config, self.variables, **(self.extra | more))
        for name, path in self.files.items():
            shutil.copyfile(path, out / name)


def convert_coder(
    sources: Sources,
    out: Path,
    conv_padding: Padding = "replicate",
    code_layout: CodeLayout = "groups",
) -> None:
    """The original's VQ-VAE with its statistics -> a run directory.

    `conv_padding` and `code_layout` are not in the file: what convolutions see beyond the ends,
    which depends on the version of torch that trained it (L5b), and what a code stands for (L4).
    Raises UserError for anything that does not fit; `out` is then not created.
    """
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {sources.checkpoint.name}")
        coder = _read_coder(sources, conv_padding, code_layout)
        step("writing the VQ-VAE")
        coder.write(directory)


def convert_listener(
    sources: Sources,
    out: Path,
    vqvae: Sources,
    conv_padding: Padding = "replicate",
    code_layout: CodeLayout = "groups",
    audio: AudioKind = "raw",
    mode: Mode = "original",
) -> None:
    """The original's predictor -> a run directory, which also holds the VQ-VAE: a whole system.

    `vqvae`: the VQ-VAE that it was trained with; or its converted run directory as the checkpoint,
    of which `code_layout` says nothing. `audio`: where its audio channels come from, `mode`: how it
    generates. The rest is as in `convert_coder`; raises likewise, and where the two do not fit.
    """
    check_new(out)
    with building(out) as directory, progress(4) as step:
        step(f"reading {vqvae.checkpoint.name}")
        if (vqvae.checkpoint / "config.json").is_file():
            coder = _converted(vqvae.checkpoint)
        else:
            coder = _read_coder(vqvae, conv_padding, code_layout)
        step(f"reading {sources.checkpoint.name}")
        given = {"conv_padding": conv_padding, "audio": audio, "mode": mode}
        listener = _read(sources, LISTENER, given)
        check_fit(listener.config, coder.config, sources.checkpoint)
        step("writing the predictor")
        listener.write(directory, parts={"vqvae": fingerprint(coder.config, coder.variables)})
        step("writing the VQ-VAE")
        coder.write(directory / "vqvae")


def _read_coder(sources: Sources, padding: Padding, layout: CodeLayout) -> Converted:
    return _read(sources, CODER, {"conv_padding": padding, "code_layout": layout})


def _read(sources: Sources, kind: runs.Kind, given: dict[str, Any]) -> Converted:
    """A model from its three files. `given` are fields of its configuration."""
    checkpoint = sources.checkpoint
    json = config_of(checkpoint, sources.config)
    tensors = _tensors(checkpoint, kind)
    config = read_config(kind, json, **_widths(kind, tensors, json), **given)
    if json is not None:
        check_sizes(config, tensors, json, checkpoint)
    npz = statistics_of(checkpoint, sources.statistics)
    abstract = paths(runs.abstract_variables(kind, config))
    for name, x in tensors.items():
        if name.endswith(".running_var") and (x < 0).any():
            raise UserError(f"{checkpoint}: {name} is negative; copy the file again")
    tensors |= _statistics(kind, npz, abstract)
    variables = nest(
        fill(abstract, with_narrow_counts(tensors), table_of(kind, config), checkpoint)
    )
    origin = {"file": checkpoint.name, **read_training_record(checkpoint)}
    files = {STATISTICS: npz} if json is None else {STATISTICS: npz, CONFIG: json}
    return Converted(kind, config, variables, {"origin": origin}, files)


def _tensors(checkpoint: Path, kind: runs.Kind) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint that holds this kind of model, without DataParallel's prefix."""
    rules = (coder_table(CODER.config()), listener_table(LISTENER.config()))
    tensors = read_weights(checkpoint, own=own_parts(*rules) | {PREFIX.rstrip(".")})
    tensors = {name.removeprefix(PREFIX): x for name, x in tensors.items()}
    if FIRST_KEYS[kind.name] in tensors:
        return tensors
    for other, key in FIRST_KEYS.items():
        if key in tensors:
            raise UserError(
                f"{checkpoint}: holds no {kind.name}, but a {other}; use"
                f" `convert_weights.py {COMMANDS[other]}`"
            )
    raise UserError(
        f"{checkpoint}: holds no model of Learning2Listen: {counted(len(tensors), 'tensor')},"
        f" {listed(tensors)}"
    )


def _widths(kind: runs.Kind, tensors: dict[str, np.ndarray], json: Path | None) -> dict[str, int]:
    """Widths that the original's code holds as constants, as a file's tensors have them."""
    if kind is CODER:
        return {} if json else {"in_dim": DECA}
    names = {"motion_dim": "motion_projector.weight", "audio_dim": "audio_projector.weight"}
    shapes = {field: tensors[name].shape for field, name in names.items() if name in tensors}
    return {field: shape[1] for field, shape in shapes.items() if len(shape) == 2}


def _statistics(kind: runs.Kind, npz: Path, abstract: dict[Any, Any]) -> dict[str, np.ndarray]:
    """What inputs are normalised by, under the names that the tables know.

    Raises UserError where a file lacks it, or it is not as wide as the model.
    """
    arrays = map_npz(npz, advice="give the training's own file")
    found: dict[str, np.ndarray] = {}
    for ours, theirs in MEASURES[kind.name].items():
        for measure in ("mean", "std"):
            name = f"body_{measure}_{theirs}"
            leaf = abstract[(*ours.split("."), measure)]
            if name not in arrays:
                raise UserError(f"{npz}: lacks {name}; give the file of this model's training")
            values, expected = np.asarray(arrays[name]), (1, 1, *leaf.shape)
            if values.shape != expected or values.dtype.kind != "f":
                raise UserError(
                    f"{npz}: {name} has shape {values.shape} ({values.dtype}), {expected} of"
                    " numbers expected; give the file of this model's training"
                )
            with np.errstate(over="ignore"):
                values = values.reshape(leaf.shape).astype(np.float32)
            if not np.isfinite(values).all() or (measure == "std" and not (values > 0).all()):
                raise UserError(
                    f"{npz}: {name} holds numbers that nothing can be measured by; copy it again"
                )
            found[f"{ours}.{measure}"] = values
    return found


def _converted(run: Path) -> Converted:
    """A VQ-VAE that was converted or trained before."""
    config, content = runs.read_config(run, CODER)
    kept = {name: content[name] for name in ("origin",) if name in content}
    files = {name: run / name for name in (CONFIG, STATISTICS) if (run / name).is_file()}
    return Converted(CODER, config, runs.load_variables(run, CODER, config), kept, files)
