"""The original's checkpoints of BeLFusion -> run directories."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.files import building, check_new
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.progress import progress
from jaxreact.systems.belfusion.config import check_fit
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.original_config import (
    CONFIG,
    checkpoint_of,
    config_beside,
    read_config,
)
from jaxreact.systems.belfusion.tables import STATISTICS, VAE_TABLE, denoiser_table, merged
from jaxreact.systems.mean_face import read_mean_face
from jaxreact.torch_files.engine import Table, fill, nest, own_parts, paths
from jaxreact.torch_files.names import counted, listed
from jaxreact.torch_files.sizes import check_sizes
from jaxreact.torch_files.torch_file import read_training_record
from jaxreact.torch_files.weights import read_weights

FIRST_KEYS = {VAE.name: "x_rnn.rnn_f.weight_ih", DENOISER.name: "time_embed.0.weight"}
"""A key that only this kind of model has."""

COMMANDS = {VAE.name: "belfusion-vae", DENOISER.name: "belfusion"}
"""Of convert_weights.py."""

UNSEEN = frozenset({"window_size", "diffusion_steps"})
"""Sizes that leave no trace in the weights."""

_STATISTICS = frozenset({"min", "max", "mean", "std", "var"})


@dataclass(frozen=True)
class Converted:
    """A model as its run directory will hold it."""

    kind: runs.Kind
    config: Any
    variables: runs.Variables
    extra: dict[str, Any]
    """What else config.json says."""
    original_config: Path | None
    """The original's own configuration, which goes back with the weights."""

    def write(self, out: Path, **more: Any) -> None:
        """Writes the run directory."""
        runs.save_model(out, self.kind, self.config, self.variables, **(self.extra | more))
        if self.original_config is not None:
            shutil.copyfile(self.original_config, out / CONFIG)


def convert_vae(source: Path, out: Path, mean_face: Path | None = None) -> None:
    """The original's VAE of emotion windows, with the statistics of its latents -> a run directory.

    `source`: the folder of its training (config.yaml and checkpoint_N.pth), or the checkpoint in
    it. `mean_face`: the data set's mean_face.npy (58,), kept with the model. Raises UserError for
    anything that does not fit; `out` is then not created.
    """
    mean = _mean(mean_face)
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        coder = _read_vae(source)
        step("writing the VAE")
        coder.write(directory, **mean)


def convert_belfusion(source: Path, out: Path, vae: Path, mean_face: Path | None = None) -> None:
    """The original's denoiser -> a run directory, which also holds the VAE: a whole system.

    `source` as in `convert_vae`; `vae`: the same of the VAE that it was trained with, or its
    converted run directory. Raises as `convert_vae` does, and where the two do not fit.
    """
    mean = _mean(mean_face)
    check_new(out)
    with building(out) as directory, progress(4) as step:
        step(f"reading {vae.name}")
        coder = _converted_vae(vae) if (vae / "config.json").is_file() else _read_vae(vae)
        step(f"reading {source.name}")
        denoiser = _read_denoiser(source)
        check_fit(denoiser.config, coder.config, source)
        step("writing the denoiser")
        denoiser.write(directory, parts={"vae": fingerprint(coder.config, coder.variables)})
        step("writing the VAE")
        coder.write(directory / "vae", **mean)


def _read_vae(source: Path) -> Converted:
    checkpoint = checkpoint_of(source)
    config_file = config_beside(checkpoint)
    config = read_config(config_file, VAE)
    tensors = _read(checkpoint, VAE, VAE_TABLE) | _statistics(checkpoint)
    variables = _fill(VAE, config, tensors, VAE_TABLE, checkpoint)
    return Converted(VAE, config, variables, {"origin": _origin(checkpoint)}, config_file)


def _read_denoiser(source: Path) -> Converted:
    checkpoint = checkpoint_of(source)
    config_file = config_beside(checkpoint)
    config = read_config(config_file, DENOISER)
    table = denoiser_table(config)
    tensors = merged(_read(checkpoint, DENOISER, table), checkpoint)
    variables = _fill(DENOISER, config, tensors, table, checkpoint)
    return Converted(DENOISER, config, variables, {"origin": _origin(checkpoint)}, config_file)


def _converted_vae(run: Path) -> Converted:
    """A VAE that was converted or trained before."""
    config, content = runs.read_config(run, VAE)
    kept = {name: content[name] for name in ("origin", "mean_face") if name in content}
    original = run / CONFIG if (run / CONFIG).is_file() else None
    return Converted(VAE, config, runs.load_variables(run, VAE, config), kept, original)


def _statistics(checkpoint: Path) -> dict[str, Any]:
    """The statistics in a VAE's file, under the names that the table knows."""
    known = read_weights(checkpoint, ("statistics",))
    if set(known) != _STATISTICS:
        raise UserError(
            f"{checkpoint}: lacks the statistics of latents ({', '.join(sorted(_STATISTICS))}) that"
            " the original's training adds when it ends; train to the end, or give that file"
        )
    if known["min"].shape == known["max"].shape and (known["min"] > known["max"]).any():
        raise UserError(f"{checkpoint}: statistics.min is above statistics.max; copy it again")
    for name in ("std", "var"):
        if (known[name] < 0).any():
            raise UserError(f"{checkpoint}: statistics.{name} is negative; copy the file again")
    return {STATISTICS + name: x for name, x in known.items()}


def _read(checkpoint: Path, kind: runs.Kind, table: Table) -> dict[str, Any]:
    """The tensors of a checkpoint that holds this kind of model."""
    tensors = read_weights(checkpoint, own=own_parts(table))
    if FIRST_KEYS[kind.name] in tensors:
        return tensors
    for other, key in FIRST_KEYS.items():
        if key in tensors:
            raise UserError(
                f"{checkpoint}: does not hold {table.model}, but a {other}; use"
                f" `convert_weights.py {COMMANDS[other]}`"
            )
    raise UserError(
        f"{checkpoint}: holds no model of BeLFusion: {counted(len(tensors), 'tensor')},"
        f" {listed(tensors)}"
    )


def _fill(
    kind: runs.Kind, config: Any, tensors: dict[str, Any], table: Table, source: Path
) -> runs.Variables:
    check_sizes(config, tensors, config_beside(source), source, UNSEEN)
    abstract = paths(runs.abstract_variables(kind, config))
    return nest(fill(abstract, tensors, table, source))


def _origin(checkpoint: Path) -> dict[str, Any]:
    return {"file": checkpoint.name, **read_training_record(checkpoint)}


def _mean(path: Path | None) -> dict[str, Any]:
    return {} if path is None else {"mean_face": read_mean_face(path)}
