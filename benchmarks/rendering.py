"""How fast heads are drawn on this machine, and how much memory a clip takes.

python benchmarks/rendering.py --out benchmarks/results/rendering.json

Draws the built-in head and an open mask of as many triangles as FaceVerse v2's mesh (56,698), on
the processor and, where there is a CUDA device, by PyTorch3D. Memory is that of fresh processes.
"""

import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import record
import tyro

from jaxreact.commands import run_command
from jaxreact.face import COEFFS, INDEX, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION, YAW
from jaxreact.rendering import (
    Backend,
    HeadModel,
    Shading,
    choose_backend,
    load_builtin_head,
    render_frames,
)

Head = Literal["builtin", "mask"]
ROWS, COLUMNS, TRIANGLES = 170, 167, 56_698


@dataclass(frozen=True)
class Config:
    """What to draw, and how often."""

    size: int = 224
    frames: int = 736
    short: int = 100
    """Frames of the shorter clip of which memory is measured."""
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


def mask() -> HeadModel:
    """A bent sheet from ear to ear with an open mouth, 1 high, and 52 smooth bumps as its units."""
    v, u = np.mgrid[: ROWS + 1, : COLUMNS + 1]
    angle, y = (u / COLUMNS - 0.5) * 2.6, v / ROWS - 0.5
    neutral = np.stack([0.42 * np.sin(angle), y, 0.3 * y**2 - 0.42 * np.cos(angle)], axis=-1)
    corner = np.add.outer(np.arange(ROWS) * (COLUMNS + 1), np.arange(COLUMNS)).ravel()
    upper = np.stack([corner, corner + COLUMNS + 1, corner + 1], axis=1)
    lower = np.stack([corner + 1, corner + COLUMNS + 1, corner + COLUMNS + 2], axis=1)
    neutral = neutral.reshape(-1, 3).astype(np.float32)
    faces = np.concatenate([upper, lower]).astype(np.int32)
    from_mouth = np.linalg.norm(neutral[faces].mean(axis=1) - (0, 0.25, -0.4), axis=1)
    faces = faces[np.sort(np.argsort(from_mouth)[len(faces) - TRIANGLES :])]
    middles = neutral[np.linspace(0, len(neutral) - 1, 52).astype(int)]
    bumps = np.exp(-30 * np.sum((neutral - middles[:, None]) ** 2, axis=-1))
    return HeadModel(
        neutral=neutral,
        units=(0.03 * bumps[..., None] * np.array([0, 0.5, -1])).astype(np.float32),
        faces=faces,
        colors=np.full_like(neutral, 0.6),
        gloss=np.zeros(len(neutral), np.float32),
        grip=np.ones(len(neutral), np.float32),
        pivot=np.zeros(3, np.float32),
    )


HEADS = {"builtin": load_builtin_head, "mask": mask}


def speed(config: Config, head: Head, shading: Shading, backend: Backend) -> dict[str, Any]:
    """Best of the repeats: seconds for the clip, and processor milliseconds a frame."""
    model, coeffs = HEADS[head](), motion(config.frames)
    draw = (model, config.size, shading, backend)
    next(render_frames(coeffs[:1], *draw))  # compiles
    walls, work = [], []
    for _ in range(config.repeats):
        wall, busy = time.perf_counter(), time.process_time()
        for _ in render_frames(coeffs, *draw):
            pass
        walls.append(time.perf_counter() - wall)
        work.append((time.process_time() - busy) / config.frames * 1e3)
    return {
        "head": head,
        "triangles": len(model.faces),
        "shading": shading,
        "backend": choose_backend(backend, shading),
        "seconds": round(min(walls), 2),
        "frames_per_second": round(config.frames / min(walls), 1),
        "cpu_ms_per_frame": round(min(work), 1),
    }


def alone(size: int, head: Head, shading: Shading, frames: int) -> dict[str, Any]:
    """Of a fresh process: seconds to the first picture, with compilation, and peak memory."""
    start = time.perf_counter()
    pictures = render_frames(motion(frames), HEADS[head](), size, shading, "cpu")
    next(pictures)
    first = time.perf_counter() - start
    for _ in pictures:
        pass
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {
        "head": head,
        "shading": shading,
        "frames": frames,
        "seconds_to_first_frame": round(first, 2),
        "peak_mib": round(peak / 1024),
    }


def main() -> None:
    """Measures and prints (and writes) a JSON object."""
    config = tyro.cli(Config)
    load = os.getloadavg()[0]
    jobs: list[tuple[Head, Shading, Backend]] = [
        ("builtin", "flat", "cpu"),
        ("builtin", "smooth", "cpu"),
        ("mask", "flat", "cpu"),
        ("mask", "smooth", "cpu"),
    ]
    if choose_backend("auto", "flat") == "pytorch3d":
        jobs.append(("builtin", "flat", "pytorch3d"))
        jobs.append(("mask", "flat", "pytorch3d"))
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as process:
        fresh = [
            process.apply(alone, (config.size, "mask", shading, frames))
            for shading in ("flat", "smooth")
            for frames in (config.short, config.frames)
        ]
    result = {
        "size": config.size,
        "frames": config.frames,
        "speed": [speed(config, *job) for job in jobs],
        "fresh_process": fresh,
        **record.machine(load),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
