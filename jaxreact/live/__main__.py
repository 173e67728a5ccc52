"""`python -m jaxreact.live`."""

import tyro

from jaxreact.commands import run_command
from jaxreact.live.command import Config, run


def main() -> None:
    """Reads the options and serves."""
    run(tyro.cli(Config, prog="python -m jaxreact.live"))


if __name__ == "__main__":
    run_command(main)
