"""Generation with real models: in batches, on eight devices, and killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxreact.predictions import Predictions, read_predictions

ROOT = Path(__file__).parents[2]
SCRIPT = "tests.evaluation.eight_devices"
EIGHT = "--xla_force_host_platform_device_count=8 --xla_dump_to=hlo --xla_dump_hlo_as_text"


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("compiled")


def generate(conversations: Path, runs: Path, out: Path, batch: int, flags: str = "") -> list[str]:
    """What `eight_devices.py` prints."""
    out.mkdir()
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    paths = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", SCRIPT, *map(str, (conversations, runs, out, batch))],
        env=environment | {"PYTHONPATH": paths},
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


@pytest.fixture(scope="module")
def alone(conversations, model_runs, tmp_path_factory) -> Predictions:
    """One clip at a time on one device."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert generate(conversations, model_runs, out, 1)[0] == "1"
    return read_predictions(out / "predictions.npz")


def assert_same(found: Predictions, expected: Predictions) -> None:
    """Codes are the same: other ones would differ by far more than rounding does."""
    for name in ("emotion", "coeffs"):
        arrays = getattr(found, name), getattr(expected, name)
        assert np.ptp(arrays[1], axis=(0, 1)).min() > 1e-3
        np.testing.assert_allclose(*arrays, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_eight_devices_give_what_one_gives_and_exchange_nothing(
    conversations, model_runs, tmp_path, alone
):
    """Four clips on eight devices: half of them answer a clip that fills the batch up."""
    devices, *exchanged = generate(conversations, model_runs, tmp_path / "eight", 4, EIGHT)
    assert devices == "8"
    assert not exchanged
    assert_same(read_predictions(tmp_path / "eight" / "predictions.npz"), alone)


@pytest.mark.slow
def test_batches_of_real_models(conversations, model_runs, tmp_path, alone):
    generate(conversations, model_runs, tmp_path / "three", 3)
    assert_same(read_predictions(tmp_path / "three" / "predictions.npz"), alone)


INTERRUPTIBLE = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script; what a shell starts in the background ignores interruptions otherwise."""


def evaluation(conversations: Path, runs: Path, out: Path, cache: Path) -> subprocess.Popen[str]:
    paths = ("--data", conversations, "--out", out)
    models = ("--tokenizer", runs / "tokenizer", "--predictor", runs / "predictor")
    options = ("--split", "train", "--frames", 64, "--samples", 2, "--batch", 1)
    arguments = (*paths, *models, *options)
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_ENABLE_COMPILATION_CACHE": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, ROOT / "evaluate.py", *map(str, arguments)],
        env=os.environ | compiled,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, err[-3000:]
    return out


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_to_the_same_bytes(conversations, model_runs, tmp_path, cache):
    whole, out = tmp_path / "whole", tmp_path / "out"
    table = finish(evaluation(conversations, model_runs, whole, cache)).splitlines()
    for number, kind in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), start=1):
        process = evaluation(conversations, model_runs, out, cache)
        while len(list((out / "parts").glob("0*.npz"))) < number:
            assert process.poll() is None, process.communicate()[1][-3000:]
            time.sleep(0.001)
        process.send_signal(kind)
        process.communicate()
        assert process.returncode != 0
        assert not (out / "predictions.npz").exists()
    again = finish(evaluation(conversations, model_runs, out, cache)).splitlines()
    assert again[0].endswith("of 4 clips are finished; going on")
    assert again[1:-4] == table[:-4]  # a blank line and the paths stand behind the table
    for name in ("predictions.npz", "metrics.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    written = sorted(path.name for path in out.iterdir())
    assert written == ["clip_scores.csv", "metrics.json", "predictions.npz", "report.html"]
