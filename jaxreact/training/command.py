"""The command line of a stage of training: a preset by name, and options over it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import tyro

from jaxreact.errors import UserError

Config = TypeVar("Config")


@dataclass(frozen=True)
class StageCommand:
    """What a system offers of one of its stages."""

    presets: Mapping[str, partial[Any]]
    """Complete configurations by name; "react2024" is the default."""
    train: Callable[[Any], float]
    """Trains as a configuration says; returns the best validation loss."""

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Reads a command line and trains."""
        self.train(parse(self.presets, arguments))


def parse(
    presets: Mapping[str, partial[Config]],
    arguments: Sequence[str] | None = None,
    default: str = "react2024",
) -> Config:
    """The configuration of a command line: `[PRESET] --option value ...`.

    The first argument names a preset unless it is an option; every field of the preset can be
    overridden. Raises UserError for an unknown preset.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    name = default
    if arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
    if name not in presets:
        raise UserError(f"no preset {name!r}; choose one of {', '.join(presets)}")
    preset = presets[name]
    description = f"{preset.func.__doc__}\n\nPresets (first argument): {', '.join(presets)}."
    return tyro.cli(preset, args=arguments, description=description)
