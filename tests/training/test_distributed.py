"""Several processes that train together."""

import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.training.distributed import DistributedConfig, Group, find_group
from tests.training.processes import (
    assert_same_state,
    finish,
    free_port,
    losses,
    newest_arrays,
    start,
)
from tests.training.stages import Trainings

SLURM = {
    "SLURM_JOB_ID": "70001",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_PROCID": "3",
    "SLURM_STEP_NODELIST": "gpu[012-014,020],other",
}
KUBERNETES = {
    "JAX_COORDINATOR_ADDRESS": "train-0.train:8476",
    "JAX_NUM_PROCESSES": "2",
    "JOB_COMPLETION_INDEX": "1",
}


@pytest.mark.parametrize(
    ("flags", "environment", "group"),
    [
        ({}, {}, None),
        ({}, {"SLURM_STEP_NUM_TASKS": "1"}, None),
        ({}, SLURM, Group("gpu012:61809", 4, 3)),
        ({}, SLURM | {"SLURM_STEP_NODELIST": "a1,gpu[2-3]"}, Group("a1:61809", 4, 3)),
        ({}, SLURM | {"SLURM_STEP_NODELIST": "a1"}, Group("a1:61809", 4, 3)),
        ({}, SLURM | {"JAX_COORDINATOR_PORT": "99"}, Group("gpu012:99", 4, 3)),
        ({}, KUBERNETES, Group("train-0.train:8476", 2, 1)),
        ({}, KUBERNETES | {"JAX_PROCESS_ID": "0"}, Group("train-0.train:8476", 2, 0)),
        (
            {"coordinator": "host", "processes": 2, "process": 0},
            SLURM | KUBERNETES,
            Group("host:8476", 2, 0),
        ),
    ],
)
def test_processes_find_each_other(flags, environment, group):
    assert find_group(DistributedConfig(**flags), environment) == group


@pytest.mark.parametrize(
    ("flags", "environment", "message"),
    [
        ({"processes": 2}, {}, "all three are needed"),
        ({"coordinator": "h:1", "processes": 2, "process": 2}, {}, "process 2 is not one of 2"),
        ({"coordinator": "h:1", "processes": 2, "process": -1}, {}, "process -1 is not one of 2"),
        ({}, {"JAX_COORDINATOR_ADDRESS": "h:1"}, "JAX_NUM_PROCESSES, JOB_COMPLETION_INDEX: all"),
        ({}, KUBERNETES | {"JAX_NUM_PROCESSES": "two"}, "JOB_COMPLETION_INDEX: all three"),
    ],
)
def test_half_a_group_is_refused(flags, environment, message):
    with pytest.raises(UserError, match=message):
        find_group(DistributedConfig(**flags), environment)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def trainings(seen, tmp_path_factory) -> Trainings:
    return Trainings(seen, tmp_path_factory.mktemp("stages"))


def group(count: int, cache: Path, script: str, *arguments: object) -> list[subprocess.Popen[str]]:
    """The processes of one training, all on this machine."""
    port = free_port()
    return [
        start(
            script,
            *arguments,
            *("--distributed.coordinator", f"localhost:{port}"),
            *("--distributed.processes", count, "--distributed.process", number),
            cache=cache,
        )
        for number in range(count)
    ]


@pytest.mark.slow
def test_two_processes_train_as_one(conversations, tmp_path, cache):
    """Both stages, the second with VQ's codes: statistics are summed over the processes."""
    for name, count in (("one", 1), ("two", 2)):
        tokenizer, predictor = tmp_path / name / "tokenizer", tmp_path / name / "predictor"
        arguments = ("debug", "--data", conversations, "--out", tokenizer)
        options = ("--model.quantize-type", "vq", "--model.quantize-codebook-size", 16)
        for process in group(count, cache, "train_tokenizer.py", *arguments, *options):
            finish(process)
        # The same codes for both: a code is a rounding decision.
        codes = ("--data", conversations, "--tokenizer", tmp_path / "one" / "tokenizer")
        arguments = ("debug", *codes, "--out", predictor)
        outputs = [finish(p) for p in group(count, cache, "train_predictor.py", *arguments)]
        assert sum("validation loss" in err for _, err in outputs) == 1  # one of them speaks
    for stage in ("tokenizer", "predictor"):
        for tag in ("training/loss", "validation/loss"):
            one, two = (losses(tmp_path / name / stage, tag) for name in ("one", "two"))
            assert set(one) == set(two)
            assert len(one) >= 2
            np.testing.assert_allclose([two[k] for k in one], list(one.values()), rtol=1e-5)
    assert json.loads((tmp_path / "two/predictor/config.json").read_text())["processes"] == 2
    # Another number of processes is refused, with both numbers.
    (process,) = group(1, cache, "train_predictor.py", *arguments, "--resume")
    error = process.communicate(timeout=900)[1].strip().splitlines()[-1]
    assert process.returncode == 1
    assert "--resume: processes was 2 and is now 1" in error


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["belfusion/denoiser", "framewise"])
def test_two_processes_train_a_stage_as_one(stage, trainings, tmp_path):
    """Also what is measured over the whole split, which every process reads."""
    one, two, port = trainings.whole(stage), tmp_path / "two", free_port()
    at = ("--distributed.coordinator", f"localhost:{port}", "--distributed.processes", 2)
    together = [
        trainings.start(stage, two, *at, "--distributed.process", number) for number in range(2)
    ]
    for process in together:
        finish(process)
    for tag in ("training/loss", "validation/loss"):
        ours, theirs = losses(two, tag), losses(one, tag)
        assert set(ours) == set(theirs)
        np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-4)
    ours, theirs = (newest_arrays(run / "model") for run in (two, one))
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-3, atol=1e-3, err_msg=name)


@pytest.mark.slow
def test_saves_of_model_and_state_do_not_wait_for_each_other(tmp_path):
    """In the background both at once: barriers of the same name would meet crosswise, and hang."""
    saves, at = 40, f"localhost:{free_port()}"
    processes = [
        start("tests/training/saving_processes.py", at, 2, number, tmp_path, saves)
        for number in range(2)
    ]
    try:
        for process in processes:
            assert finish(process, seconds=120)[0].splitlines()[-1] == f"{saves - 1} {saves - 1}"
    finally:
        for process in processes:
            process.kill()


@pytest.mark.slow
def test_four_processes_stop_together_and_go_on(conversations, tmp_path, cache):
    """SIGTERM to one of four: all save and exit 0, and the resumed run is the uninterrupted one."""
    options = ("--loop.batch-size", 4, "--loop.epochs", 40, "--loop.validate-every", 4)

    def arguments(name: str) -> tuple[object, ...]:
        return ("debug", "--data", conversations, "--out", tmp_path / name, *options)

    for process in group(4, cache, "train_tokenizer.py", *arguments("whole")):
        finish(process)
    parts = group(4, cache, "train_tokenizer.py", *arguments("parts"))
    while not list((tmp_path / "parts" / "state").glob("[0-9]*")):
        time.sleep(0.2)
        assert all(process.poll() is None for process in parts)
    parts[2].send_signal(signal.SIGTERM)
    assert all("go on with --resume" in finish(process)[1] for process in parts)
    stopped = max(losses(tmp_path / "parts"))
    assert stopped < 40
    for process in group(4, cache, "train_tokenizer.py", *arguments("parts"), "--resume"):
        finish(process)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    assert_same_state(tmp_path / "parts", tmp_path / "whole")
