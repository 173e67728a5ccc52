"""The weights in a file from elsewhere: by the model's own names, and in float32.

What every converter reads by. Whatever is done to names and numbers on the way is said.
"""

import re
import warnings
from collections.abc import Set
from pathlib import Path

import numpy as np

from jaxreact.errors import Remark, UserError
from jaxreact.torch_files.entries import ENTRIES
from jaxreact.torch_files.names import counted, listed
from jaxreact.torch_files.precision import in_float32
from jaxreact.torch_files.shards import INDEX, read_shards, refuse_shard, shard_names
from jaxreact.torch_files.torch_file import read_state_dict
from jaxreact.torch_files.wrappers import unwrap

_PLAIN = re.compile(r"(float|u?int)\d+|bool")
"""Names of the types that NumPy has itself."""

_MOST_TIMES, _MOST_BESIDE = 16, 2**24
"""How much larger than its file a state dict may be: tensors share memory, but not that much."""


def read_weights(
    path: str | Path, entries: tuple[str, ...] = ENTRIES, own: Set[str] = frozenset()
) -> dict[str, np.ndarray]:
    """The tensors of a PyTorch file, of safetensors, or of all files that an index names.

    `entries`: where in the file they stand, best first. `own`: parts of the model's names that look
    like a wrapper's but are not taken off. Names come without those of wrappers
    (`wrappers.unwrap`), float16, bfloat16 and float64 as float32 (`precision.in_float32`), each
    with a `Remark`. Raises UserError as `read_state_dict` and `read_shards` do, where two names
    become one, and for tensors of float8 or of complex numbers.
    """
    path = Path(path)
    if path.name.endswith(INDEX):
        files = [path.parent / name for name in shard_names(path)]
        tensors = read_shards(path)
    else:
        refuse_shard(path)
        files, tensors = [path], read_state_dict(path, entries)
    _check_size(tensors, files, path)
    unwrapped = unwrap(tensors, path, own)
    for remark in unwrapped.remarks:
        warnings.warn(f"{path}: {remark}", Remark, stacklevel=2)
    weights = in_float32({name: tensors[key] for name, key in unwrapped.names.items()}, path)
    _check_types(weights, path)
    return weights


def _check_types(weights: dict[str, np.ndarray], path: Path) -> None:
    """Refuses what NumPy has no numbers for, as safetensors does: float8 lacks its scales."""
    others = [name for name, x in weights.items() if not _PLAIN.fullmatch(x.dtype.name)]
    if others:
        kinds = sorted({weights[name].dtype.name for name in others})
        raise UserError(
            f"{path}: {counted(len(others), 'tensor')} of {listed(kinds)}: {listed(others)}; save"
            " them as float32"
        )


def _check_size(tensors: dict[str, np.ndarray], files: list[Path], path: Path) -> None:
    """Refuses tensors of stride 0 that a small file blows up to anything."""
    held, stored = (sum(x.nbytes for x in tensors.values()), sum(f.stat().st_size for f in files))
    if held > _MOST_TIMES * stored + _MOST_BESIDE:
        raise UserError(
            f"{path}: its tensors would take {held} bytes, the file has {stored}; save their"
            " contiguous copies"
        )
