"""Pictures of predicted faces, and of head models: `python -m jaxreact.rendering --help`."""

from typing import Annotated

import tyro
from tyro.conf import subcommand

from jaxreact.commands import run_command
from jaxreact.evaluation.one_clip import react_to_clip
from jaxreact.rendering.pictures.compare import Compare
from jaxreact.rendering.pictures.grid import Grid
from jaxreact.rendering.pictures.turntable import Turntable
from jaxreact.rendering.pictures.units import Units
from jaxreact.rendering.player.command import Player

Commands = (
    Annotated[Grid, subcommand("grid")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Player, subcommand("player")]
    | Annotated[Units, subcommand("units")]
    | Annotated[Turntable, subcommand("turntable")]
)


def main() -> None:
    """Reads the command line and runs one of the commands."""
    command = tyro.cli(Commands, prog="python -m jaxreact.rendering", description=__doc__)  # pyright: ignore[reportArgumentType, reportCallIssue]
    if isinstance(command, Compare | Player):
        command.write(react_to_clip)
    else:
        command.run()


if __name__ == "__main__":
    run_command(main)
