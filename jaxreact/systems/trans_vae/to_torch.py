"""Run directories of Trans-VAE -> checkpoints that the original loads."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from jaxreact import runs
from jaxreact.errors import reading
from jaxreact.progress import progress
from jaxreact.systems.trans_vae.conversion import KEPT, POSITIONS, TABLE, all_positions
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.torch_files.write import save, the_torch


def write_torch(run: Path, out: Path) -> None:
    """A run directory -> a checkpoint as the original's train.py saves it, without the optimizer.

    Tensors are those of the file that the run was converted from, bit for bit. Needs torch. Raises
    UserError where it is missing, or `run` is something else.
    """
    torch = the_torch()
    with progress(2) as step:
        step(f"reading {run}")
        tensors = model_tensors(run)
        origin = runs.read_config(run, TRANS_VAE)[1].get("origin", {})
        state = OrderedDict((name, torch.from_numpy(x)) for name, x in tensors.items())
        step(f"writing {out}")
        content = {"epoch": origin.get("epoch", 0), "state_dict": state, "optimizer": {}}
        save(content, out)


def model_tensors(run: Path) -> dict[str, np.ndarray]:
    """The tensors of a run directory by the original's names."""
    config, _ = runs.read_config(run, TRANS_VAE)
    tensors = to_torch(paths(runs.load_variables(run, TRANS_VAE, config)), TABLE)
    if not (run / KEPT).is_file():
        return {**tensors, POSITIONS: all_positions(config)}
    with reading(run / KEPT, "not what conversion kept", "convert the checkpoint again"):
        return {**tensors, **load_file(run / KEPT)}
