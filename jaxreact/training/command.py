"""The command line of a stage of training: a preset by name, and options over it."""

import dataclasses
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import tyro

from jaxreact.errors import UserError
from jaxreact.runs import Kind

Config = TypeVar("Config")


@dataclass(frozen=True)
class StageCommand:
    """What a system offers of one of its stages."""

    presets: Mapping[str, partial[Any]]
    """Complete configurations by name; the first is the default."""
    train: Callable[[Any], float]
    """Trains as a configuration says; returns the best validation loss."""
    kind: Kind
    """What the stage trains."""

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Reads a command line, by default the program's, and trains."""
        arguments = list(sys.argv[1:] if arguments is None else arguments)
        config = parse(self.presets, [_today(word, self.kind) for word in arguments])
        best = self.train(config)
        print(f"{config.out}: {self.kind.name} trained, best validation loss {best:.4f}")


def _today(word: str, kind: Kind) -> str:
    """An option under its name of today, where it has one of before."""
    for before, now in kind.renamed.items():
        names = "[-_]".join(before.split("_"))
        word = re.sub(
            rf"^--model\.(no-)?{names}(?=$|=)", rf"--model.\1{now.replace('_', '-')}", word
        )
    return word


def parse(presets: Mapping[str, partial[Config]], arguments: Sequence[str]) -> Config:
    """The configuration of a command line: `[PRESET] --option value ...`.

    The first argument names a preset unless it is an option, then the first preset is taken; every
    field of the preset can be overridden. Raises UserError for an unknown preset.
    """
    default = next(iter(presets))
    name, *options = arguments if arguments and arguments[0][:1] != "-" else (default, *arguments)
    if name not in presets:
        raise UserError(f"no preset {name!r}; choose one of {', '.join(presets)}")
    preset = presets[name]
    choice = f"Presets (first argument): {', '.join(presets)}; {default} where none is named."
    description = f"{preset.func.__doc__}\n\n{choice}"
    config = tyro.cli(preset, args=options, description=description)
    return dataclasses.replace(config, preset=name)  # pyright: ignore[reportArgumentType]
