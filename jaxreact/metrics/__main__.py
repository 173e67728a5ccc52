"""Scores of REACT predictions from files: `python -m jaxreact.metrics --help`."""

from typing import Annotated

import tyro
from tyro.conf import subcommand

from jaxreact.commands import run_command
from jaxreact.metrics.command import Compare, Score
from jaxreact.metrics.realism.command import Realism

Commands = (
    Annotated[Score, subcommand("score")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Realism, subcommand("realism")]
)


def main() -> None:
    """Reads the command line and runs one of the commands."""
    tyro.cli(Commands, prog="python -m jaxreact.metrics", description=__doc__).run()  # pyright: ignore[reportArgumentType, reportCallIssue]


if __name__ == "__main__":
    run_command(main)
