"""The command `python -m jaxreact.data.prepare`."""

import tyro

from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.errors import run_command


def main() -> None:
    """Reads the command line, checks, and packs."""
    prepare(tyro.cli(PrepareConfig, prog="python -m jaxreact.data.prepare"))


if __name__ == "__main__":
    run_command(main)
