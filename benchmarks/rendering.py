"""How fast the built-in head is drawn on this machine's processor.

python benchmarks/rendering.py --out benchmarks/results/rendering.json
"""

import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from jaxreact.errors import run_command
from jaxreact.face import COEFFS, INDEX, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION, YAW
from jaxreact.files import replacing
from jaxreact.rendering import load_builtin_head, render_frames


@dataclass(frozen=True)
class Config:
    """What to draw, and how often."""

    size: int = 256
    frames: int = 200
    repeats: int = 3
    out: Path | None = None


def motion(frames: int) -> np.ndarray:
    """Raw coefficients (frames, 58) of a face that turns, talks and smiles."""
    time_axis = np.arange(frames) / 25
    coeffs = np.zeros((frames, COEFFS), np.float32)
    coeffs[:, 52:] = (*NEUTRAL_ROTATION, *NEUTRAL_TRANSLATION)
    coeffs[:, YAW] = 0.3 * np.sin(time_axis)
    coeffs[:, INDEX["jawOpen"]] = 0.3 * np.abs(np.sin(6 * time_axis))
    coeffs[:, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = 0.5
    return coeffs


def measure(config: Config, shading: str) -> dict[str, float]:
    """Best of the repeats: frames a second, and processor milliseconds a frame."""
    coeffs = motion(config.frames)
    rates, work = [], []
    for _ in range(config.repeats):
        wall, busy = time.perf_counter(), time.process_time()
        for _ in render_frames(coeffs, size=config.size, shading=shading):  # pyright: ignore[reportArgumentType]
            pass
        rates.append(config.frames / (time.perf_counter() - wall))
        work.append((time.process_time() - busy) / config.frames * 1e3)
    return {"frames_per_second": round(max(rates), 1), "cpu_ms_per_frame": round(min(work), 1)}


def main() -> None:
    """Measures both shadings and prints (and writes) a JSON object."""
    config = tyro.cli(Config)
    head = load_builtin_head()
    result = {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "size": config.size,
        "triangles": len(head.faces),
        "smooth": measure(config, "smooth"),
        "flat": measure(config, "flat"),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if config.out:
        with replacing(config.out) as path:
            path.write_text(text + "\n")


if __name__ == "__main__":
    run_command(main)
