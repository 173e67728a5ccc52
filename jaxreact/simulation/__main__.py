"""The command `python -m jaxreact.data.simulate`."""

import tyro

from jaxreact.commands import run_command
from jaxreact.simulation import SimulateConfig, simulate


def main() -> None:
    """Reads the command line and simulates."""
    simulate(tyro.cli(SimulateConfig, prog="python -m jaxreact.data.simulate"))


if __name__ == "__main__":
    run_command(main)
