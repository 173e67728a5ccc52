"""What may follow `--render`."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import tyro

from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import Choice
from jaxreact.evaluation.drawing.options import CHOICE, FilmOptions


@dataclass(frozen=True)
class Options:
    render: Annotated[Choice | None, CHOICE] = None
    seed: int = 0


@pytest.mark.parametrize(
    ("words", "choice"),
    [("", None), ("--render", 4), ("--render 12", 12), ("--render fid", "fid")],
)
def test_a_number_or_a_name_or_nothing(words, choice):
    assert tyro.cli(Options, args=[*words.split(), "--seed", "1"]) == Options(choice, 1)
    assert tyro.cli(Options, args=["--seed", "1", *words.split()]) == Options(choice, 1)


@pytest.mark.parametrize("words", ["every", "-3", "1 2"])
def test_anything_else_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        tyro.cli(Options, args=["--render", *words.split()])
    assert "--render" in capsys.readouterr().err


def test_sizes():
    with pytest.raises(UserError, match="--size 65 is odd"):
        FilmOptions(size=65)
    with pytest.raises(UserError, match="--pirender-batch 0 is less than 1"):
        FilmOptions(pirender_batch=0)
