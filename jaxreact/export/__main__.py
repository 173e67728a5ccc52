"""`python -m jaxreact.export --help`."""

from jaxreact.commands import run_command
from jaxreact.export.command import main

if __name__ == "__main__":
    run_command(main)
