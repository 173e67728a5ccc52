"""The folder of a cache: nothing foreign is touched in it, nothing old is left in it."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from jaxreact.data.layout import FILES, SPLITS
from jaxreact.data.packed_index import INDEX, SHARD_SUFFIX
from jaxreact.errors import UserError

_SHARD = rf"({'|'.join(SPLITS)})/({'|'.join(FILES)})-\d{{5}}(\{SHARD_SUFFIX}|\.json)"
_MATRIX = rf"neighbour_emotion_({'|'.join(SPLITS)})\.npy"
_OURS = re.compile(rf"{_SHARD}|{_MATRIX}|{re.escape(INDEX)}")
_LEFTOVER = re.compile(rf"((\w+)/)?\.({'|'.join(FILES)}|neighbour_emotion|cache)\W?.*")
"""What `files.replacing` leaves where it is killed: a hidden folder."""


def check_folder(out: Path) -> None:
    """Raises `UserError` if `out` holds anything that is no part of a cache, finished or not."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: not a folder; choose another --out")
    for path in out.rglob("*"):
        name = path.relative_to(out).as_posix()
        if path.is_file() and not (_OURS.fullmatch(name) or _LEFTOVER.fullmatch(name)):
            raise UserError(f"{out}: holds {name}, no part of a cache; choose a new folder")


def tidy(out: Path, kept: Iterable[str]) -> None:
    """Removes what interrupted runs and former, larger data sets left; `kept` are files of now."""
    kept = set(kept)
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_dir() and _LEFTOVER.fullmatch(name):
            shutil.rmtree(path)
        elif path.is_file() and _OURS.fullmatch(name) and name not in kept:
            path.unlink()
