"""`python -m jaxreact.react --traits`: a wished listener."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tyro

from jaxreact.errors import UserError
from jaxreact.react import command
from jaxreact.react.answer import react
from jaxreact.react.config import Config, check
from jaxreact.systems.system import Speaker

pytestmark = pytest.mark.wrong_arguments
ARGUMENTS = ["a.mp4", "--out", "out", "--run", "run", "--traits", "0.9", "0.5", "0.5", "0.1", "1"]


def system(given: list[Any], *options: str) -> Any:
    """One that notes the options that it is asked with."""

    def answer(speaker: Speaker, samples: int, **asked: Any) -> None:
        given.append(asked)

    return SimpleNamespace(name="noted", needs={"coeffs"}, options={*options}, react=answer)


@pytest.mark.parametrize("given", [True, False])
def test_a_system_is_told_who_listens(given):
    config = tyro.cli(Config, args=ARGUMENTS if given else ARGUMENTS[:5])
    asked: list[Any] = []
    speaker = Speaker(np.zeros((1, 8, 58), np.float32))
    react(system(asked, "traits"), speaker, config)
    if given:
        np.testing.assert_allclose(asked[0]["traits"], [0.9, 0.5, 0.5, 0.1, 1])
    else:
        assert "traits" not in asked[0]


def test_a_system_without_traits_refuses_them(monkeypatch):
    config = tyro.cli(Config, args=ARGUMENTS)
    monkeypatch.setattr(command, "load", lambda *_: system([]))
    with pytest.raises(UserError, match="run: noted was not trained with traits; leave --traits"):
        command.open_system(config)


def test_scores_are_0_to_1(tmp_path):
    config = Config(
        Path("a.mp4"), tmp_path / "out", run=Path("run"), traits=(0.5, 0.5, 0.5, 0.5, 0.5)
    )
    check(config)
    for wrong in (1.5, -0.1, float("nan")):
        traits = (0.5, 0.5, 0.5, 0.5, wrong)
        with pytest.raises(UserError, match=f"--traits 0.5 0.5 0.5 0.5 {wrong}: five scores, each"):
            check(dataclasses.replace(config, traits=traits))
