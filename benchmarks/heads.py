"""What the vertices of a head cost beside the same equation in NumPy, and FaceVerse's file.

python benchmarks/heads.py --out benchmarks/results/heads.json

The FaceVerse is a made-up one of the released size (tests/rendering/faceverse_file.py).
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import record
import tyro

from jaxreact.commands import run_command
from jaxreact.face import (
    COEFFS,
    EXPRESSION,
    INDEX,
    NEUTRAL_ROTATION,
    NEUTRAL_TRANSLATION,
    ROTATION,
    TRANSLATION,
)
from jaxreact.rendering import CHUNK, HeadModel, load_builtin_head
from jaxreact.rendering.heads import FaceVerse, load_faceverse
from jaxreact.rendering.heads.conversion import convert_faceverse


@dataclass(frozen=True)
class Config:
    """How often to measure; medians count."""

    repeats: int = 40
    out: Path | None = None


def motion(frames: int) -> np.ndarray:
    """Raw coefficients (frames, 58): every unit moves, and the head turns."""
    rng = np.random.default_rng(0)
    coeffs = np.zeros((frames, COEFFS), np.float32)
    coeffs[:, EXPRESSION] = rng.random((frames, 52))
    coeffs[:, 52:] = (*NEUTRAL_ROTATION, *NEUTRAL_TRANSLATION)
    coeffs[:, ROTATION] += rng.normal(0, 0.2, (frames, 3))
    return coeffs


def vertices_in_numpy(head: HeadModel, coeffs: np.ndarray) -> np.ndarray:
    """`HeadModel.vertices` as it was before it was JAX: one product of matrices, then rotations."""
    weights = coeffs[:, EXPRESSION].copy()
    if head.lips_need_jaw:
        close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
        weights[:, close] = np.minimum(weights[:, close], np.maximum(weights[:, jaw], 0))
    count = len(head.neutral)
    shape = (weights @ head.units.reshape(52, -1)).reshape(-1, count, 3) + head.neutral
    rotation = rotations(coeffs[:, ROTATION])
    translation = coeffs[:, None, TRANSLATION]
    world = shape @ rotation.swapaxes(1, 2) + translation
    body = head.grip < 1
    if body.any():
        joint = head.pivot @ rotation.swapaxes(1, 2) + translation[:, 0]
        upright = rotations(np.array([NEUTRAL_ROTATION], np.float32))[0]
        shoulders = (shape[:, body] - head.pivot) @ upright.T + joint[:, None]
        grip = head.grip[body, None]
        world[:, body] = grip * world[:, body] + (1 - grip) * shoulders
    return world


def rotations(angles: np.ndarray) -> np.ndarray:
    (sa, sb, sc), (ca, cb, cc) = np.sin(angles.T), np.cos(angles.T)
    rows = [
        [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa],
        [sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa],
        [-sb, cb * sa, cb * ca],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_vertices(head: HeadModel, repeats: int) -> dict[str, float]:
    """Milliseconds for a chunk of frames, ours and NumPy's in turns, both as NumPy arrays."""
    coeffs = motion(CHUNK)
    first = seconds(lambda: np.asarray(head.vertices(coeffs)))
    difference = np.abs(np.asarray(head.vertices(coeffs)) - vertices_in_numpy(head, coeffs)).max()
    pairs = [
        (
            seconds(lambda: np.asarray(head.vertices(coeffs))),
            seconds(lambda: vertices_in_numpy(head, coeffs)),
        )
        for _ in range(repeats)
    ]
    ours, numpys = 1e3 * np.median(pairs, axis=0)
    return {
        "vertices": len(head.neutral),
        "frames": CHUNK,
        "jax_ms": round(ours, 2),
        "numpy_ms": round(numpys, 2),
        "times_as_fast": round(numpys / ours, 1),
        "first_call_ms": round(1e3 * first),
        "largest_difference": float(f"{difference:.1e}"),
    }


def measure_file(folder: Path) -> tuple[dict[str, float], FaceVerse]:
    """Seconds and megabytes of FaceVerse's file, converted and loaded."""
    sys.path.append(str(Path(__file__).parents[1]))
    from tests.rendering import faceverse_file

    source, out, packed = (folder / name for name in ("model.npy", "model.npz", "packed.npz"))
    faceverse_file.save(source, faceverse_file.faceverse(faceverse_file.FULL))
    converting = seconds(lambda: convert_faceverse(source, out))
    model = load_faceverse(out)
    loading = min(seconds(lambda: load_faceverse(out)) for _ in range(3))
    np.savez_compressed(packed, allow_pickle=False, **asdict(model))
    unpacking = min(seconds(lambda: load_faceverse(packed)) for _ in range(3))
    return {
        "convert_s": round(converting, 2),
        "load_s": round(loading, 3),
        "megabytes": round(out.stat().st_size / 1e6, 1),
        "load_if_compressed_s": round(unpacking, 3),
        "megabytes_if_compressed": round(packed.stat().st_size / 1e6, 1),
    }, model


def main() -> None:
    """Measures both heads and the file, and prints (and writes) a JSON object."""
    config = tyro.cli(Config)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        file, model = measure_file(Path(folder))
    result = {
        "device": jax.devices()[0].device_kind,
        "builtin": measure_vertices(load_builtin_head(), config.repeats),
        "faceverse": measure_vertices(model.head(), config.repeats),
        "faceverse_file": file,
        **record.machine(load),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
