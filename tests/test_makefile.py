"""Whether `make demo` goes on where it stopped, as far as make itself decides that."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
STAGES = ("tokenizer", "predictor")


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
        each: any("--resume" in line for line in lines if f"train_{each}.py" in line)
        for each in STAGES
    }
    assert resumed == {each: goes_on and each == stage for each in STAGES}
