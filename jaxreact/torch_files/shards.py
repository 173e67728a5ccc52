"""Weights in several files, and the index that says which tensor stands in which."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from jaxreact.errors import UserError
from jaxreact.torch_files.json_file import read_mapping
from jaxreact.torch_files.names import counted, listed, shown
from jaxreact.torch_files.torch_file import read_state_dict

INDEX = ".index.json"
"""How the names of indexes end: model.safetensors.index.json, pytorch_model.bin.index.json."""

_SHARD = re.compile(r"(.+)-\d{5}-of-(\d{5})(\.\w+)")


def read_shards(index: Path) -> dict[str, np.ndarray]:
    """The tensors of all files that an index names, by name.

    Files are looked for beside the index and nowhere else. Raises UserError where the index is
    none, names a file that is missing or elsewhere or a tensor that its file lacks, or where two
    files hold the same tensor.
    """
    places = _weight_map(index)
    tensors: dict[str, np.ndarray] = {}
    for name in shard_names(index):
        shard = index.parent / name
        if not shard.is_file():
            raise UserError(f"{index}: names {shown(name)}, which is not beside it; copy it too")
        held = read_state_dict(shard)
        if lacking := [key for key, place in places.items() if place == name and key not in held]:
            raise UserError(
                f"{index}: {shown(name)} lacks {counted(len(lacking), 'tensor')} that should"
                f" be in it: {listed(lacking)}; copy both again"
            )
        if twice := [key for key in held if key in tensors]:
            raise UserError(f"{index}: {listed(twice)} in {shown(name)} and in another file too")
        tensors |= held
    return tensors


def shard_names(index: Path) -> list[str]:
    """The names of the files that an index lists; UserError where one is no plain file name."""
    names = list(Counter(_weight_map(index).values()))
    for name in names:
        parts = {PurePosixPath(name).name, PureWindowsPath(name).name}
        if parts != {name} or name in ("", ".", "..") or not name.isprintable():
            raise UserError(f"{index}: names {shown(name)}, which is no file beside it")
    return names


def refuse_shard(path: Path) -> None:
    """Raises UserError where a file is one of several, by its name."""
    match = _SHARD.fullmatch(path.name)
    if match and int(match[2]) > 1:
        raise UserError(
            f"{path}: one of {int(match[2])} files that belong together; give"
            f" {match[1]}{match[3]}{INDEX} beside it"
        )


def _weight_map(index: Path) -> dict[str, str]:
    places = read_mapping(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise UserError(f"{index}: no index of weights: it has no weight_map of names to files")
    if wrong := [key for key, place in places.items() if not isinstance(place, str)]:
        raise UserError(f"{index}: {listed(wrong)} in its weight_map: no name of a file")
    return places
