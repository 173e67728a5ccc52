"""PyTorch's own files, written with PyTorch, which nobody needs otherwise."""

from pathlib import Path
from types import ModuleType
from typing import Any

from jaxreact.errors import UserError
from jaxreact.files import replacing


def the_torch() -> ModuleType:
    """The package torch. Raises UserError where it is not installed."""
    try:
        import torch
    except ImportError:
        raise UserError(
            "to-torch writes PyTorch's format and needs torch: pip install -e '.[torch]'"
        ) from None
    return torch


def save(content: dict[str, Any], path: Path) -> None:
    """Writes what `torch.load` gives back, whole or not at all."""
    with replacing(path) as temporary:
        the_torch().save(content, temporary)
