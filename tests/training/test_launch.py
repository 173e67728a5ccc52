"""The launch files, as far as they can be tried without a cluster."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.processes import ROOT, losses

SRUN = """#!/usr/bin/env bash
# Stands in for SLURM's srun: two tasks on this machine, told apart by SLURM's variables.
while [[ $1 == --* ]]; do shift; done
export SLURM_JOB_ID=$RANDOM SLURM_STEP_NUM_TASKS=2 SLURM_STEP_NODELIST=localhost
SLURM_PROCID=1 "$@" & other=$!
SLURM_PROCID=0 "$@"
wait $other
"""


@pytest.mark.slow
def test_the_slurm_script_trains_and_goes_on(conversations, tmp_path):
    srun = tmp_path / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text(SRUN)
    srun.chmod(srun.stat().st_mode | stat.S_IEXEC)
    tokenizer = tmp_path / "tokenizer"
    arguments = ["debug", "--data", str(conversations), "--out", str(tokenizer)]
    python = sys.executable
    subprocess.run([python, "train_tokenizer.py", *arguments], cwd=ROOT, check=True)
    environment = os.environ | {
        "PATH": f"{srun.parent}:{os.environ['PATH']}",
        "PYTHON": python,
        "DATA": str(conversations),
        "TOKENIZER": str(tokenizer),
        "RUN": str(tmp_path / "predictor"),
        "PRESET": "debug",
        "OPTIONS": "--loop.workers 0",
    }
    for _ in range(2):  # the second time it resumes a finished run, which is no error
        subprocess.run([ROOT / "launch" / "slurm.sh"], cwd=ROOT, env=environment, check=True)
        assert max(losses(tmp_path / "predictor")) == 4
    assert '"processes": 2' in (tmp_path / "predictor" / "config.json").read_text()


def test_the_manifest_says_what_the_commands_read():
    text = Path(ROOT / "launch" / "kubernetes.yaml").read_text()
    for name in ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "completionMode: Indexed"):
        assert name in text
    # Port, Service and Job must agree.
    assert "jaxreact-train-0.jaxreact-train:8476" in text
    assert "subdomain: jaxreact-train" in text
