"""Where a command writes its picture, checked before anything is drawn."""

from pathlib import Path

from jaxreact.errors import UserError
from jaxreact.files import check_folder


def check_out(path: Path, suffix: str) -> None:
    """Raises `UserError` where a file with this suffix cannot be written at `path`."""
    if path.suffix.lower() != suffix:
        raise UserError(f"--out {path}: the file is written as {suffix[1:]}; end its name so")
    check_folder(path.parent)
    if path.is_dir():
        raise UserError(f"--out {path}: is a directory; name a file in it")
