"""The command `python -m jaxreact.evaluation.report OUT`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import arg

from jaxreact.commands import run_command
from jaxreact.evaluation.report.report import write_evaluation_report
from jaxreact.systems.system import load_codebook


@dataclass(frozen=True)
class Report:
    """Writes report.html of an evaluation again, from what lies in its directory."""

    out: tyro.conf.Positional[Path]
    """Directory of an evaluation: what evaluate.py's --out was."""
    data: Path | None = None
    """The data set that was evaluated (root or cache), for what compares with other listeners."""
    split: Literal["train", "val", "test"] | None = None
    """The split that was evaluated; by default the one that metrics.json names, else val."""
    run: Annotated[Path | None, arg(aliases=("--tokenizer",))] = None
    """Run directory of the system or of its tokenizer, to show how the codes are used."""


def main() -> None:
    """Parses the command line and writes the report."""
    config = tyro.cli(Report, prog="python -m jaxreact.evaluation.report")
    codebook = None if config.run is None else load_codebook(config.run)
    print(
        write_evaluation_report(config.out, data=config.data, split=config.split, codebook=codebook)
    )


if __name__ == "__main__":
    run_command(main)
