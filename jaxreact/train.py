"""The command `python -m jaxreact.train SYSTEM/STAGE [PRESET] ...`: trains any system's stage.

A system of one stage is named alone: `python -m jaxreact.train trans-vae [PRESET] ...`.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence

from jaxreact import systems
from jaxreact.commands import run_command
from jaxreact.errors import UserError
from jaxreact.training.command import StageCommand


def stage_names() -> list[str]:
    """SYSTEM/STAGE of all that can be trained; of a system of one stage its name alone."""
    return [
        f"{system.replace('_', '-')}/{stage}".removesuffix("/")
        for system in _systems()
        for stage in _stages(system)
    ]


def train(name: str, arguments: Sequence[str] | None = None) -> None:
    """Trains the stage SYSTEM/STAGE as a command line says, by default the program's.

    Raises UserError for a stage that does not exist, and like the stage's training.
    """
    system, _, stage = name.partition("/")
    folder = system.replace("-", "_")
    stages = _stages(folder) if folder in _systems() else {}
    if stage not in stages:
        raise UserError(f"no stage {name!r}; choose one of {', '.join(stage_names())}")
    stages[stage].run(arguments)


def _systems() -> list[str]:
    """Folders of the systems that can be trained here; others are converted only."""
    return [
        module.name
        for module in pkgutil.iter_modules(systems.__path__)
        if module.ispkg and importlib.util.find_spec(f"jaxreact.systems.{module.name}.presets")
    ]


def _stages(system: str) -> dict[str, StageCommand]:
    return importlib.import_module(f"jaxreact.systems.{system}.presets").STAGES


def main() -> None:
    """Reads the stage's name; the rest of the command line is the stage's own."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ("", "-h", "--help"):
        print(
            "usage: python -m jaxreact.train SYSTEM/STAGE [PRESET] [--OPTION VALUE ...]\n\n"
            f"SYSTEM/STAGE: {', '.join(stage_names())}\n"
            "Options of a stage: python -m jaxreact.train SYSTEM/STAGE --help"
        )
        raise SystemExit(0 if name else 2)
    train(name, sys.argv[2:])


if __name__ == "__main__":
    run_command(main)
