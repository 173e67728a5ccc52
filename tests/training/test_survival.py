"""Runs that are stopped, killed, starved of disk or fed nonsense, as real processes."""

import contextlib
import json
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from jaxreact.systems.fiber.loaded_tokenizer import load_tokenizer
from tests.training.processes import (
    assert_as_uninterrupted,
    finish,
    losses,
    newest_state,
    saved_steps,
    start,
)

EPOCHS = 30
STEPS = 2 * EPOCHS
OPTIONS = (
    *("--loop.epochs", EPOCHS, "--loop.validate-every", 3, "--model.dropout", 0.1),
    *("--model.quantize-type", "vq", "--model.quantize-codebook-size", 16),
)
"""Dropout and VQ: randomness and statistics must come back too."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("compiled")


def training(conversations: Path, out: Path, cache: Path, *more: object) -> subprocess.Popen[str]:
    arguments = ("debug", "--data", conversations, "--out", out, *OPTIONS, *more)
    return start("train_tokenizer.py", *arguments, cache=cache)


@pytest.fixture(scope="module")
def whole(conversations, tmp_path_factory, cache) -> Path:
    """A run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    finish(training(conversations, out, cache))
    assert len(losses(out)) == STEPS
    return out


def wait_for_a_state(out: Path, process: subprocess.Popen[str]) -> None:
    while not saved_steps(out):
        assert process.poll() is None, process.communicate()[1][-2000:]
        time.sleep(0.02)


@pytest.mark.slow
def test_sigterm_saves_and_a_resumed_run_goes_on(conversations, tmp_path, cache, whole):
    out = tmp_path / "run"
    process = training(conversations, out, cache)
    wait_for_a_state(out, process)
    process.send_signal(signal.SIGTERM)
    _, err = finish(process)
    (step,) = saved_steps(out)
    assert err.strip().splitlines()[-1] == f"{out}: stopped after step {step}; go on with --resume"
    assert max(losses(out)) == step < STEPS  # nothing computed is lost
    finish(training(conversations, out, cache, "--resume"))
    assert_as_uninterrupted(out, whole)


@pytest.mark.slow
def test_twenty_kills(conversations, tmp_path, cache, whole):
    """kill -9 at random moments, while starting, training, validating and saving."""
    out, moments = tmp_path / "run", random.Random(0)
    process = training(conversations, out, cache)
    wait_for_a_state(out, process)
    for number in range(20):
        # Some in the middle of a save: Orbax writes into a folder whose name says so.
        deadline = time.monotonic() + moments.uniform(0, 12)
        while time.monotonic() < deadline and process.poll() is None:
            if number % 2 and list((out / "state").glob("*.orbax-checkpoint-tmp*")):
                break
            time.sleep(0.001)
        process.kill()
        process.communicate()
        assert saved_steps(out)
        load_tokenizer(out)  # the best model so far is whole
        process = training(conversations, out, cache, "--resume")
    finish(process)
    assert_as_uninterrupted(out, whole)


def fill(path: Path) -> None:
    """Writes until the disk is full."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"0" * 4096)


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_good_state(conversations, tmp_path, cache, whole):
    """On a small file system of its own, where one can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        out = disk / "run"
        process = training(conversations, out, cache)
        wait_for_a_state(out, process)
        filler = disk / "filler"
        fill(filler)
        _, err = process.communicate(timeout=900)
        assert process.returncode == 1
        assert "Traceback" not in err  # Orbax and TensorStore would print hundreds of lines
        assert err.splitlines()[-1].startswith(f"error: {disk}")
        assert saved_steps(out)
        newest_state(out)  # whole
        filler.unlink()
        finish(training(conversations, out, cache, "--resume"))
        assert_as_uninterrupted(out, whole)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_other_circumstances_are_refused_with_both_values(conversations, tmp_path, cache, whole):
    other = tmp_path / "data"
    shutil.copytree(conversations, other)
    mean = other / "mean_face.npy"
    mean.write_bytes(mean.read_bytes()[:-4] + b"\0\0\0\0")
    cases = {
        "training.workers was 0 and is now 2": ("--loop.workers", 2),
        "model.n_layer was 1 and is now 2": ("--model.n-layer", 2),
        "data was ": ("--data", other),
    }
    config = (whole / "config.json").read_text()
    for message, options in cases.items():
        process = training(conversations, whole, cache, *options, "--resume")
        err = process.communicate(timeout=900)[1].strip().splitlines()
        assert process.returncode == 1
        assert f"error: --resume: {message}" in err[-1]
    assert (whole / "config.json").read_text() == config
    assert json.loads(config)["data"]
