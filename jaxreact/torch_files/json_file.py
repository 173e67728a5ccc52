"""JSON files from elsewhere: configurations and indexes that stand beside weights."""

from pathlib import Path
from typing import Any

from jaxreact.errors import UserError
from jaxreact.files import read_json


def read_mapping(path: str | Path, problem: str = "not a readable JSON file") -> dict[str, Any]:
    """The object in a JSON file. Raises UserError where the file is missing, no JSON, nested too
    deeply, or anything but an object."""
    fields = read_json(path, problem)
    if not isinstance(fields, dict):
        raise UserError(f"{path}: not a mapping")
    return fields
