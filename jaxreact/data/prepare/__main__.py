"""The command `python -m jaxreact.data.prepare`."""

import tyro

from jaxreact.commands import run_command
from jaxreact.data.prepare import PrepareConfig, prepare


def main() -> None:
    """Reads the command line, checks, and packs."""
    prepare(tyro.cli(PrepareConfig, prog="python -m jaxreact.data.prepare"))


if __name__ == "__main__":
    run_command(main)
