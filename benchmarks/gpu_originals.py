"""The original on the same GPU."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from gpu_measuring import Found
from gpu_models import Sizes


def original(sizes: Sizes, kind: str, rows: str, checkout: Path) -> Found:
    """The original's step on the same device, by `training_original.py`."""
    times = 5 if torch_device() == "cuda" else 1
    answer = original_answer("training_original.py", checkout, kind, rows, times, torch_device())
    seconds = {name: round(1e3 * each["wall"], 1) for name, each in answer["seconds"].items()}
    return {
        "device": torch_device(),
        "step_ms": seconds,
        "gib": answer["result"]["device_gib"],
    }


def original_generation(sizes: Sizes, checkout: Path) -> Found:
    """The original's way from face and sound to one listener, of the ten that it makes in turn."""
    if torch_device() == "cpu":
        return {"skipped": "torch has no GPU here; see generation.py"}
    answer = original_answer("generation_original.py", checkout, torch_device())
    seconds = {name: round(each["wall"], 3) for name, each in answer["seconds"].items()}
    ten = round(10 * sum(seconds.values()), 2)
    return {"device": torch_device(), "one_sample_s": seconds, "ten_samples_s": ten}


def torch_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def original_answer(script: str, checkout: Path, *arguments: object) -> dict[str, Any]:
    """What a script of the original's side says of its second pass on a GPU, else of its first."""
    path = Path(__file__).with_name(script)
    checkpoint = Path(os.environ["GPU_WAYS_FOLDER"]) / path.with_suffix(".ckpt").name
    command = [sys.executable, path, checkout.resolve(), checkpoint, *arguments]
    lines = "1\n1\n" if torch_device() == "cuda" else "1\n"
    done = subprocess.run(
        list(map(str, command)), input=lines, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(said(done.stderr))
    return json.loads(done.stdout.strip().splitlines()[-1])


def said(stderr: str) -> str:
    """The end of what a program said, on one line."""
    return " ".join(stderr.split())[-300:]
