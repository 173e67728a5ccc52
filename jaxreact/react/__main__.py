"""`python -m jaxreact.react --help`."""

from jaxreact.commands import run_command
from jaxreact.react.command import main

if __name__ == "__main__":
    run_command(main)
