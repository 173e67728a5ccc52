"""kill -9 of every stage's training: resumed, it ends as if nothing had happened.

`test_survival.py` kills one stage oftener, and looks at what else can happen to it.
"""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jaxreact.train import stage_names
from tests.training.processes import (
    assert_as_uninterrupted,
    finish,
    losses,
    saved_steps,
)
from tests.training.stages import Trainings

EPOCHS = 16
FIRST_STAGES = {"fiber/tokenizer", "belfusion/vae", "learning2listen/vqvae"}
LAST = [stage for stage in stage_names() if stage not in FIRST_STAGES]
"""Of each system the stage that needs all others."""


@pytest.fixture(scope="module")
def trainings(seen, tmp_path_factory) -> Trainings:
    folder = tmp_path_factory.mktemp("stages")
    return Trainings(seen, folder, ("--loop.epochs", EPOCHS, "--loop.validate-every", 2))


def kill_when(process: subprocess.Popen[str], is_time: Callable[[], bool]) -> None:
    while not is_time() and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.communicate()


def is_saving(run: Path) -> bool:
    """Orbax writes into a folder whose name says so."""
    # No wider a search: other folders of a run that is being written vanish while one looks.
    return any((run / what).glob("*.orbax-checkpoint-tmp*") for what in ("model", "state"))


@pytest.mark.slow
@pytest.mark.parametrize("stage", LAST)
def test_a_killed_training_ends_as_an_uninterrupted_one(stage, trainings, tmp_path):
    """Killed in its first save, and at a moment after one that is drawn by chance."""
    whole, out = trainings.whole(stage), tmp_path / "run"
    kill_when(trainings.start(stage, out), lambda: is_saving(out) or bool(saved_steps(out)))
    before, wait = max(saved_steps(out), default=0), random.Random(stage).uniform(0, 0.2)
    second = trainings.start(stage, out, *(["--resume"] if saved_steps(out) else []))
    kill_when(second, lambda: max(saved_steps(out), default=0) > before and not time.sleep(wait))
    finish(trainings.start(stage, out, "--resume"))
    assert len(losses(whole)) >= EPOCHS
    assert_as_uninterrupted(out, whole)
