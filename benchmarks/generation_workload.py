"""What both halves of `benchmarks/generation.py` share: the clip, the clock, and the way they talk.

A worker reads lines from its stdin and answers each by one line of JSON.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

CONFIGS = Path(__file__).parents[1] / "tests" / "golden" / "checkpoints"
FRAMES = 736
"""Of the original's evaluation clips: 29.44 s."""
TOP_K = 512
STAGES = ("tokenise", "audio features", "generate", "decode")

Result = TypeVar("Result")


def released_sizes() -> tuple[dict[str, Any], dict[str, Any]]:
    """Tokenizer's and predictor's released configuration in the original's names."""
    names = ("face_tokenizer_full_fsq", "react_predictor_full")
    tokenizer, predictor = (json.loads((CONFIGS / f"{name}.json").read_text()) for name in names)
    return tokenizer, predictor


def speaker() -> tuple[np.ndarray, np.ndarray]:
    """A made-up speaker: coefficients (1, 736, 58) and 16 kHz sound (1, 471040)."""
    random = np.random.default_rng(0)
    coeffs = random.standard_normal((1, FRAMES, 58)).astype(np.float32)
    waveform = 0.1 * random.standard_normal((1, FRAMES * 640)).astype(np.float32)
    return coeffs, waveform


class Stages:
    """Seconds of wall and of processor time (all threads) that each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    def timed(self, name: str, stage: Callable[[], Result]) -> Result:
        wall, busy = time.perf_counter(), time.process_time()
        result = stage()
        self.seconds[name] = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - busy,
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
