"""Generates reactions to a split, exports and scores them. `python evaluate.py --help`"""

import tyro

from jaxreact.commands import run_command
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation


def main() -> None:
    config = tyro.cli(Evaluation)
    print(evaluate(config))
    print(f"\n{config.out / 'predictions.npz'}\n{config.out / 'metrics.json'}")


if __name__ == "__main__":
    run_command(main)
