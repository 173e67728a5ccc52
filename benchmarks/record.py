"""What ends every benchmark: its result as JSON, with the machine that it was measured on."""

import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from jaxreact.files import replacing

PACKAGES = ("jaxreact", "jax", "flax", "numpy")


def machine(load_before: float, versions: dict[str, Any] | None = None) -> dict[str, Any]:
    """Cores, load before and after, architecture, and versions: those given, or of `PACKAGES`.

    `load_before` is `os.getloadavg()[0]` from before the measuring.
    """
    if versions is None:
        versions = {name: _version(name) for name in PACKAGES}
    return {
        "cores": os.cpu_count(),
        "load": [round(load_before, 2), round(os.getloadavg()[0], 2)],
        "machine": platform.machine(),
        "versions": {"python": platform.python_version(), **versions},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # the project itself, run from its folder
        return "not installed"


def write(result: dict[str, Any], out: Path | None) -> None:
    """Prints a result and, where there is an `out`, writes it there."""
    text = json.dumps(result, indent=1)
    print(text)
    if out is not None:
        with replacing(out) as path:
            path.write_text(text + "\n")
