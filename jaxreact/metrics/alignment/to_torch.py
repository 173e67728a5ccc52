"""Run directories of the alignment network -> checkpoints that the challenge's program loads."""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from jaxreact import runs
from jaxreact.metrics.alignment.conversion import TABLE
from jaxreact.metrics.alignment.load import ALIGNMENT
from jaxreact.progress import progress
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.torch_files.write import save, the_torch


def write_torch(run: Path, out: Path) -> None:
    """A run directory -> a checkpoint as the challenge's post-processor loads it.

    Tensors are those of the file that the run was converted from, bit for bit. Needs torch. Raises
    UserError where it is missing, or `run` is something else.
    """
    torch = the_torch()
    with progress(2) as step:
        step(f"reading {run}")
        tensors = model_tensors(run)
        origin = runs.read_config(run, ALIGNMENT)[1].get("origin", {})
        state = OrderedDict((name, torch.from_numpy(x)) for name, x in tensors.items())
        step(f"writing {out}")
        save({"epoch": origin.get("epoch", 0), "state_dict": state, "optimizer": None}, out)


def model_tensors(run: Path) -> dict[str, np.ndarray]:
    """The tensors of a run directory by the original's names."""
    config, _ = runs.read_config(run, ALIGNMENT)
    return to_torch(paths(runs.load_variables(run, ALIGNMENT, config)), TABLE)
