"""The command `python -m jaxreact.data.simulate`."""

import tyro

from jaxreact.data.simulate import SimulateConfig, simulate
from jaxreact.errors import run_command


def main() -> None:
    """Reads the command line and simulates."""
    simulate(tyro.cli(SimulateConfig, prog="python -m jaxreact.data.simulate"))


if __name__ == "__main__":
    run_command(main)
