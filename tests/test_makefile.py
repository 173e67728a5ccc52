"""Whether `make demo` goes on where it stopped, as far as make itself decides that."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
STAGES = {
    "tokenizer": "train_tokenizer.py",
    "predictor": "train_predictor.py",
    "framewise": "jaxreact.train framewise",
}
"""Folders of the stages, and what trains them."""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("left", "goes_on"),
    [
        ((), False),
        (("state",), False),
        (("state/6.orbax-checkpoint-tmp",), False),
        (("state/6", "state/12.orbax-checkpoint-tmp"), True),
    ],
    ids=("nothing", "no state", "killed while the first state was saved", "a state"),
)
@pytest.mark.parametrize("stage", STAGES)
def test_the_demo_resumes_where_there_is_a_state(tmp_path, stage, left, goes_on):
    shutil.copy(MAKEFILE, tmp_path)
    for folder in left:
        (tmp_path / "runs" / "demo" / stage / folder).mkdir(parents=True)
    show = ["make", "--dry-run", "runs/demo/evaluation/metrics.json"]
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    done = subprocess.run(show, cwd=tmp_path, check=True, capture_output=True, text=True)
    lines = done.stdout.replace("\\\n", " ").splitlines()
    resumed = {
        each: any("--resume" in line for line in lines if command in line)
        for each, command in STAGES.items()
    }
    assert resumed == {each: goes_on and each == stage for each in STAGES}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("given", "trained"), [((), ["framewise"]), (("SYSTEM=runs/own", "OPTIONS=--port 9"), [])]
)
def test_the_live_page_trains_what_it_needs_and_no_more(tmp_path, given, trained):
    shutil.copy(MAKEFILE, tmp_path)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    show = ["make", "--dry-run", "live", *given]
    done = subprocess.run(show, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert [stage for stage, command in STAGES.items() if command in done.stdout] == trained
    served = "runs/own --port 9" if given else "runs/demo/framewise"
    assert f"-m jaxreact.live --system {served}" in done.stdout


def test_the_demos_estimates_are_of_one_run():
    """Each stage names the seconds before and after it: the former grow, their sum does not."""
    says = re.findall(r"\$\(call say,[^,]+,(\d+),(\d+)\)", MAKEFILE.read_text())
    before = [int(spent) for spent, _ in says]
    assert len(says) == 6
    assert before == sorted(set(before))
    assert len({int(spent) + int(rest) for spent, rest in says}) == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("spent", "rest", "minutes"), [(120, 600, 11), (60, 600, 21), (240, 120, 2), (1200, 60, 1)]
)
def test_the_demo_says_what_is_left(tmp_path, spent, rest, minutes):
    """Of a demo whose simulation began two minutes ago; one that goes on says nothing of it."""
    demo = tmp_path / "runs" / "demo"
    demo.mkdir(parents=True)
    (demo / ".begun").write_text(f"{int(time.time()) - 120}\n")
    (tmp_path / "Makefile").write_text(
        f"include {MAKEFILE}\nask:\n\t$(call say,stage,{spent},{rest})\n"
    )
    ask = ["make", "--silent", "ask"]

    def said() -> str:
        return subprocess.run(ask, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert said() == f"demo: stage, about {minutes} minutes left\n"
    (demo / "data").mkdir()
    (demo / "data" / "simulation.json").touch()
    assert said() == "demo: stage goes on\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("ends", "goes_on"), [(True, True), (False, False)])
def test_the_demo_does_not_go_on_with_a_training_that_was_stopped(tmp_path, ends, goes_on):
    """Which has saved and exits with 0, but has no report yet. Python is a script here."""
    shutil.copy(MAKEFILE, tmp_path)
    for name in ("pyproject.toml", "constraints.txt", ".venv/.core", "runs/demo/cache/cache.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "runs/demo/data").mkdir()
    (tmp_path / "runs/demo/data/simulation.json").touch()
    (tmp_path / "runs/demo/tokenizer").mkdir()
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    report = "touch runs/demo/tokenizer/training_report.html" if ends else ":"
    python.write_text(f"#!/bin/sh\n{report}\necho $1 >> called\n")
    python.chmod(0o755)
    made = ["make", "BIN=bin", "-o", ".venv/.core", "-o", "runs/demo/cache/cache.json"]
    subprocess.run([*made, "runs/demo/predictor/training_report.html"], cwd=tmp_path, check=False)
    called = (tmp_path / "called").read_text().split()
    assert called == ["train_tokenizer.py", *["train_predictor.py"] * goes_on]
