"""The command `python -m jaxreact.export`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from jaxreact.errors import UserError
from jaxreact.export.formats import FORMATS, FormatName
from jaxreact.export.motion import read_motion
from jaxreact.files import check_folder


@dataclass(frozen=True)
class Config:
    """Writes a reaction for other programs.

    arkit-csv: as a recording of Live Link Face; arkit-json: ARKit's 52 weights and the head's pose;
    glb: the built-in head, animated (needs the extra `export`); bvh and flame: the head's pose
    alone. Units, signs and who reads them: docs/export.md.
    """

    format: Positional[FormatName]
    """What to write."""
    reactions: Annotated[Positional[Path], arg(metavar="REACTIONS")]
    """predictions.npz of evaluate.py, or reaction.npz of jaxreact.react."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """The file, whose name ends as the format's do: .csv, .json, .glb, .bvh, .npz."""
    clip: Annotated[str | None, arg(metavar="NAME|INDEX")] = None
    """The clip: its name, or its number in the file from 0. Default: the first."""
    sample: Annotated[int | None, arg(metavar="INDEX")] = None
    """Which reaction to it, from 0. Default: the first."""
    fps: float | None = None
    """Frames a second, by default the file's own: 25, of whole clips of MARS 30. Others are
    interpolated."""


def run(config: Config) -> None:
    """Reads, writes, and prints the file's path. Raises `UserError` for what cannot be."""
    kind = FORMATS[config.format]
    if config.out.suffix.lower() != kind.suffix:
        raise UserError(
            f"OUT {config.out}: {config.format} is written as {kind.suffix}; end its name so"
        )
    check_folder(config.out.parent, "OUT")
    motion = read_motion(config.reactions, config.clip, config.sample, config.fps)
    kind.write(config.out, motion)
    print(config.out)


def main() -> None:
    """Parses the command line and runs."""
    run(tyro.cli(Config, prog="python -m jaxreact.export"))
