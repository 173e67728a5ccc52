"""Run directories of BeLFusion -> checkpoints that the original loads."""

import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.files import replacing
from jaxreact.progress import progress
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.original_config import CONFIG, config_text
from jaxreact.systems.belfusion.tables import STATISTICS, VAE_TABLE, denoiser_table, doubled
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.torch_files.write import save, the_torch


def write_torch(run: Path, out: Path) -> None:
    """A VAE's or a denoiser's run directory -> a checkpoint of the original.

    Tensors are the same bit for bit; what has two names in the original has both (B17), and a VAE's
    file holds its statistics. The original also reads a config.yaml beside the file: a converted
    model's is put there, of one trained here the same sizes by the original's names, unless there
    is one. Needs torch. Raises UserError where it is missing, or `run` is something else.
    """
    torch = the_torch()
    kind = _kind(run)
    with progress(2) as step:
        step(f"reading {run}")
        tensors, content = model_tensors(run, kind)
        shared = {id(x): torch.from_numpy(x) for x in tensors.values()}
        named = OrderedDict((name, shared[id(x)]) for name, x in tensors.items())
        known = {n: named.pop(n) for n in list(named) if n.startswith(STATISTICS)}
        checkpoint: dict[str, Any] = {
            "epoch": content.get("origin", {}).get("epoch", 0),
            "state_dict": named,
            "optimizer": {"state": {}, "param_groups": []},  # nothing goes on with this training
        }
        if known:
            checkpoint["statistics"] = {n.removeprefix(STATISTICS): x for n, x in known.items()}
        step(f"writing {out}")
        save(checkpoint, out)
    _write_config(run, out, kind)


def model_tensors(run: Path, kind: runs.Kind) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The torch tensors of a run directory, and what its config.json says."""
    config, content = runs.read_config(run, kind)
    variables = paths(runs.load_variables(run, kind, config))
    if kind is VAE:
        return to_torch(variables, VAE_TABLE), content
    return doubled(to_torch(variables, denoiser_table(config))), content


def _kind(run: Path) -> runs.Kind:
    name = runs.kind_name(run)
    for kind in (VAE, DENOISER):
        if kind.name == name:
            return kind
    raise UserError(f"{run}: kind is {name!r}, which is no model of BeLFusion")


def _write_config(run: Path, out: Path, kind: runs.Kind) -> None:
    """Puts a configuration beside a checkpoint: the original's own, or one of the same sizes."""
    config, content = runs.read_config(run, kind)
    beside, vae = out.parent / CONFIG, out.parent / "vae" / "checkpoint_0.pth"
    kept = (run / CONFIG).read_bytes() if (run / CONFIG).is_file() else None
    text = config_text(kind, config, content, vae).encode() if kept is None else kept
    if not beside.exists():
        with replacing(beside) as temporary:
            temporary.write_bytes(text)
        if kept is None and kind is DENOISER and not vae.exists():
            remark = f"names {vae}; put the VAE there: convert_weights.py to-torch {run / 'vae'}"
            warnings.warn(f"{beside}: {remark} {vae}", Remark, stacklevel=3)
    elif beside.read_bytes() != text:
        own = f"the model's own is {run / CONFIG}" if kept else "remove it for one of the model's"
        warnings.warn(f"{beside}: left as it is; {own}", Remark, stacklevel=3)
