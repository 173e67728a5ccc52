"""Writing without ever leaving a half-written file behind."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jaxreact.errors import NO_ROOM, UserError, reading


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is renamed to `path`.

    The temporary name keeps the suffix, since writers choose a format by it. An existing file is
    replaced atomically; if the block raises, `path` is untouched and the temporary file is removed.
    """
    path = Path(path)
    if os.path.isdir(path):  # pathlib's raises for a name that is too long
        raise UserError(f"{path}: is a folder; name a file")
    _make_parent(path)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = folder / path.name
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def building(directory: str | Path) -> Iterator[Path]:
    """Yields a path beside `directory` to make a folder at; it becomes `directory` on success.

    What was at `directory` is replaced; see `check_new` where it must not be. If the block raises,
    `directory` is untouched.
    """
    directory = Path(directory)
    _make_parent(directory)
    beside = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    temporary = beside / directory.name
    try:
        yield temporary
        if not temporary.is_dir():
            raise FileNotFoundError(f"{temporary}: nothing was built")
        if directory.is_dir():
            os.rename(directory, beside / "replaced")
        os.rename(temporary, directory)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def check_folder(path: str | Path, option: str = "--out") -> None:
    """Raises UserError, naming the option, where a folder can neither be written to nor be made:
    before hours of work, at whose end it would be found out."""
    path = Path(path)
    try:
        standing = next(part for part in (path, *path.parents) if part.exists())
    except OSError as error:
        raise UserError(f"{option}: {path} cannot be a folder ({error.strerror})") from None
    if not standing.is_dir():
        raise UserError(f"{option}: {standing} is a file, not a directory")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise UserError(f"{option}: {standing} may not be written to; choose another place")


def check_file(path: str | Path, option: str) -> None:
    """The same where a file cannot be written, which replaces one that is there."""
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{option}: {path} is a folder; name a file in it")
    check_folder(path.parent, option)


def _make_parent(path: Path) -> None:
    """Makes the folder that `path` will be in. Raises UserError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{path}: {path.parent} is no folder; choose another place") from None
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise UserError(
            f"{path}: {path.parent} cannot be made ({error.strerror}); choose another place"
        ) from None


def check_new(directory: str | Path) -> None:
    """Raises UserError if `directory` exists and is not an empty folder."""
    directory = Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory}: exists already; remove it or choose another name")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Writes strict JSON: values that are not finite become null, since JSON has no NaN.

    Raises TypeError for what is no JSON data; then `path` is untouched.
    """
    with replacing(path) as temporary:
        text = json.dumps(_finite(content), indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path, problem: str, advice: str = "copy it again") -> Any:
    """What a JSON file holds. Raises `UserError` in these words, see `errors.reading`.

    Editors on Windows begin a file with a byte order mark, which JSON does not know.
    """
    with reading(path, problem, advice):
        return json.loads(Path(path).read_text("utf-8-sig"))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
