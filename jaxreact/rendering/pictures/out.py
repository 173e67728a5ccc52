"""Where a command writes its picture, checked before anything is drawn."""

from pathlib import Path

from jaxreact.errors import UserError


def check_out(path: Path, suffix: str) -> None:
    """Raises `UserError` where a file with this suffix cannot be written at `path`."""
    if path.suffix.lower() != suffix:
        raise UserError(f"--out {path}: the file is written as {suffix[1:]}; end its name so")
    check_folder(path.parent)
    if path.is_dir():
        raise UserError(f"--out {path}: is a directory; name a file in it")


def check_folder(path: Path) -> None:
    """Raises `UserError` where a directory can neither be nor be made."""
    for part in (path, *path.parents):
        if part.exists():
            if not part.is_dir():
                raise UserError(f"--out: {part} is a file, not a directory")
            return
