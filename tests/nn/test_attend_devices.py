"""Attention in one kernel where several devices share a batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def found() -> dict:
    """What `eight_devices.py` prints."""
    flags = "--xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-m", "tests.nn.eight_devices"],
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", ["16", "16, two samples each", "16, nothing more"])
def test_each_device_attends_to_its_own_rows(found, case):
    """Which entries are dropped does not depend on the devices; nothing is sent."""
    of_16 = found[case]
    assert of_16.pop("difference") < 1e-5
    assert of_16 == {"devices": 8, "kernels": True, "of_a_device": [2], "exchanged": []}


def test_a_batch_that_cannot_be_cut_evenly_is_written_out(found):
    of_12 = found["12"]
    assert not of_12["kernels"]
    assert of_12["difference"] < 1e-5
