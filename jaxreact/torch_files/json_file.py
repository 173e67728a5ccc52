"""JSON files from elsewhere: configurations and indexes that stand beside weights."""

import json
from pathlib import Path
from typing import Any

from jaxreact.errors import UserError
from jaxreact.torch_files.damage import UNREADABLE, reason


def read_mapping(path: str | Path) -> dict[str, Any]:
    """The object in a JSON file. Raises UserError where the file is missing, no JSON, nested too
    deeply, or anything but an object."""
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
    except UNREADABLE as error:
        raise UserError(f"{path}: not a readable JSON file: {reason(error)}") from error
    if not isinstance(fields, dict):
        raise UserError(f"{path}: not a mapping")
    return fields
