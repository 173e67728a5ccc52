"""Run directories of Learning2Listen -> checkpoints that the original loads."""

import shutil
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.files import replacing, write_json
from jaxreact.predictions.npz import write_npz
from jaxreact.progress import progress
from jaxreact.systems.learning2listen.conversion import (
    CONFIG,
    MEASURES,
    PREFIX,
    STATISTICS,
)
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.original_config import (
    VQVAE_JSON,
    original_json,
    statistics_beside,
    unlike_the_original,
)
from jaxreact.systems.learning2listen.tables import AVERAGES, table_of, with_wide_counts
from jaxreact.systems.learning2listen.tables import STATISTICS as MEASURED
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.torch_files.write import save, the_torch


def write_torch(run: Path, out: Path) -> None:
    """A VQ-VAE's or a predictor's run directory -> a checkpoint of the original.

    Tensors are the same bit for bit. The statistics are put beside it, where the original looks for
    them, and the JSON: a converted model's own, or the sizes of one trained here; unless there are
    some. A `Remark` says what the original's code would have to be changed in. Needs torch. Raises
    UserError where it is missing, or `run` is something else.
    """
    torch = the_torch()
    kind = _kind(run)
    with progress(2) as step:
        step(f"reading {run}")
        tensors, content = model_tensors(run, kind)
        measured = {n: tensors.pop(n) for n in list(tensors) if n.startswith(MEASURED)}
        tensors = {n: x for n, x in tensors.items() if not n.startswith(AVERAGES)}
        state = OrderedDict((PREFIX + name, torch.from_numpy(x)) for name, x in tensors.items())
        step(f"writing {out}")
        checkpoint = {
            "config": out.with_suffix(".json").name,
            "state_dict": state,
            "optimizer": {"optimizer": _new_optimizer(kind, state), "n_steps": 0},
            "epoch": content.get("origin", {}).get("epoch", 0),
        }
        save(checkpoint, out)
    config = runs.read_config(run, kind)[0]
    _put_config(run / CONFIG, config, content, out)
    if (run / STATISTICS).is_file():
        _put_beside(run / STATISTICS, statistics_beside(out))
    elif not statistics_beside(out).exists():
        _write_statistics(kind, measured, statistics_beside(out))
    if others := unlike_the_original(config):
        remark = f"the original's code knows {', and '.join(others)}; change it there"
        warnings.warn(f"{out}: {remark}", Remark, stacklevel=2)


def _new_optimizer(kind: runs.Kind, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of the original's optimizer before its first step: its scripts load one."""
    torch = the_torch()
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    params = [torch.nn.Parameter(x) for name, x in state.items() if not name.endswith(buffers)]
    optimizer = torch.optim.AdamW if kind is CODER else torch.optim.Adam
    return optimizer(params, betas=(0.9, 0.98), eps=1e-9).state_dict()


def model_tensors(run: Path, kind: runs.Kind) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The torch tensors of a run directory and its statistics, and what its config.json says."""
    config, content = runs.read_config(run, kind)
    variables = paths(runs.load_variables(run, kind, config))
    return with_wide_counts(to_torch(variables, table_of(kind, config))), content


def _kind(run: Path) -> runs.Kind:
    name = runs.kind_name(run)
    for kind in (CODER, LISTENER):
        if kind.name == name:
            return kind
    raise UserError(f"{run}: kind is {name!r}, which is no model of Learning2Listen")


def _put_config(kept: Path, config: Any, content: Mapping[str, Any], out: Path) -> None:
    """Puts the JSON beside a checkpoint: the original's own, or one of the same sizes."""
    beside = out.with_suffix(".json")
    if kept.is_file():
        _put_beside(kept, beside)
    elif beside.exists():
        remark = "left as it is; remove it for one of the model's own sizes"
        warnings.warn(f"{beside}: {remark}", Remark, stacklevel=3)
    else:
        json = original_json(config, content, out)
        write_json(beside, json)
        if "l_vqconfig" in json:
            remark = f"l_vqconfig is {VQVAE_JSON}; put the VQ-VAE's JSON there, or name its place"
            warnings.warn(f"{beside}: {remark}", Remark, stacklevel=3)


def _put_beside(kept: Path, beside: Path) -> None:
    """Copies a file of the original's; says so where it cannot."""
    if not beside.exists():
        with replacing(beside) as temporary:
            shutil.copyfile(kept, temporary)
    elif beside.read_bytes() != kept.read_bytes():
        remark = f"left as it is; the model's own is {kept}"
        warnings.warn(f"{beside}: {remark}", Remark, stacklevel=3)


def _write_statistics(kind: runs.Kind, measured: Mapping[str, np.ndarray], path: Path) -> None:
    """A model's own statistics by the original's names."""
    arrays = {
        f"body_{measure}_{theirs}": measured[f"{ours}.{measure}"][None, None]
        for ours, theirs in MEASURES[kind.name].items()
        for measure in ("mean", "std")
    }
    with replacing(path) as temporary:
        write_npz(temporary, arrays)
