"""What the benchmarks that measure beside the original share: processes, clocks, released sizes.

A worker is a script that reads lines from its stdin and answers each by one line of JSON.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jaxreact.errors import UserError

HERE = Path(__file__).parent
CONFIGS = HERE.parent / "tests" / "golden" / "checkpoints"
CORES = os.cpu_count() or 1
ON_CPU = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
"""Environment of a worker that is to leave every accelerator alone."""

Result = TypeVar("Result")


def released_sizes() -> tuple[dict[str, Any], dict[str, Any]]:
    """Tokenizer's and predictor's released configuration in the original's names."""
    names = ("face_tokenizer_full_fsq", "react_predictor_full")
    tokenizer, predictor = (json.loads((CONFIGS / f"{name}.json").read_text()) for name in names)
    return tokenizer, predictor


class Worker:
    """A process that makes one pass when told to.

    `versions` is what it said when it was ready. Raises UserError where it stops.
    """

    def __init__(self, script: str, *arguments: object, environment: dict[str, str] = ON_CPU):
        command = [sys.executable, str(HERE / script), *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.versions = self._answer()

    def run(self, threads: int = CORES) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{threads}\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self.process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise UserError(f"{self.process.args} stopped with {self.process.wait()}; see above")
        return json.loads(line)


def convert(checkpoint: Path, out: Path) -> None:
    """The original's checkpoint -> a run directory, in a process of its own."""
    script = HERE.parent / "convert_weights.py"
    command = [sys.executable, str(script), "predictor", str(checkpoint), str(out)]
    subprocess.run(command, check=True, stdout=sys.stderr)


class Stages:
    """Seconds of wall and of processor time (all threads) that each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    def timed(self, name: str, stage: Callable[[], Result], times: int = 1) -> Result:
        """What `stage` gives; it repeats its work so many `times`, and its seconds are of one."""
        wall, busy = time.perf_counter(), time.process_time()
        result = stage()
        self.seconds[name] = {
            "wall": (time.perf_counter() - wall) / times,
            "cpu": (time.process_time() - busy) / times,
        }
        return result


def serve(one_pass: Callable[[Stages, int], dict[str, Any]], versions: dict[str, Any]) -> None:
    """Says that the worker is ready, then answers every line on stdin by one pass.

    A line holds the number of threads that the pass may use, as far as it can choose.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    answer(versions)
    for line in sys.stdin:
        stages = Stages()
        result = one_pass(stages, int(line))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        answer({"seconds": stages.seconds, "peak_gib": peak, "result": result})
