"""Which steps are traced, and that a trace always ends."""

import contextlib
from pathlib import Path
from typing import Any

import jax
import pytest

from jaxreact.errors import UserError
from jaxreact.profiling import Profile


@pytest.fixture
def events(monkeypatch) -> list[Any]:
    seen: list[Any] = []

    def note(name: str, step_num: int) -> Any:
        seen.append(step_num)
        return contextlib.nullcontext()

    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: seen.append("start"))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: seen.append("stop"))
    monkeypatch.setattr(jax.profiler, "StepTraceAnnotation", note)
    return seen


def go(folder: Path | None, steps: int) -> None:
    with Profile(folder, steps, "work") as profile:
        for number in range(1, steps + 1):
            with profile.step(number):
                pass
            profile.after(number, None)


@pytest.mark.parametrize(
    ("steps", "traced"),
    [(100, [3, 4, 5, 6, 7]), (7, [3, 4, 5, 6, 7]), (5, [3, 4, 5]), (2, [2]), (1, [1]), (0, [])],
)
def test_steps_after_the_first_ones_are_traced(tmp_path, events, capsys, steps, traced):
    go(tmp_path / "new" / "trace", steps)
    assert events == (["start", *traced, "stop"] if traced else [])
    said = f"trace: steps {traced[0]} to {traced[-1]} are traced" if traced else ""
    assert said in capsys.readouterr().out


def test_without_a_folder_nothing_is_done(events, capsys):
    go(None, 10)
    assert events == []
    assert capsys.readouterr().out == ""


def test_an_error_ends_the_trace(tmp_path, events):
    with pytest.raises(KeyError), Profile(tmp_path, 10, "work") as profile, profile.step(3):
        raise KeyError
    assert events == ["start", 3, "stop"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"--profile .*file/trace: cannot be made \(Not a dir"):
        Profile(tmp_path / "file" / "trace", 10, "work")
