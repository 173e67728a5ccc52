"""What `benchmarks/metrics_ragged.py` scores: made-up reactions of many lengths, face-like.

The sequences are those of `metrics_workload.py`, smooth noise that is correlated over half a second
around a level of the person's own. Predictions share some of the paired listener's course, and have
action units of 0 and 1, as those of REACT 2026 have. Lengths have a gamma distribution with mean
2100 and deviation 1050, between 58 and 20,000 frames, much as those of MARS; each target has its
own. Needs numpy alone, so that the worker with tslearn can read it too.
"""

from pathlib import Path

import numpy as np
from metrics_workload import face, smooth
from tqdm import tqdm

SAMPLES = TARGETS = 10
MEAN, SHORTEST, LONGEST = 2100, 58, 20000


def make(folder: Path, clips: int, frames: int | None = None) -> None:
    """Writes each clip's reactions and targets as .npy; all of `frames` frames where given."""
    random = np.random.default_rng(0)

    def length() -> int:
        drawn = int(np.clip(random.gamma(4, MEAN / 4), SHORTEST, LONGEST))
        return drawn if frames is None else frames

    for clip in tqdm(range(clips), "arrays", unit="clip", delay=2, disable=None):
        level, other = 0.7 * random.standard_normal((2, 1, 25), np.float32) - 0.5
        rows = length()
        own = smooth(random, 1, rows)[0]
        later = np.roll(own, int(random.integers(50)), axis=0)
        courses = 0.6 * later + 0.8 * smooth(random, SAMPLES, rows)
        np.save(folder / f"{clip}_pred.npy", face(0.5 * level + 0.5 * other + courses, binary=True))
        np.save(folder / f"{clip}_gt0.npy", face(level + own, binary=True))
        for number in range(1, TARGETS):
            their = 0.7 * random.standard_normal((1, 25), np.float32) - 0.5
            sequence = face(their + smooth(random, 1, length())[0], binary=True)
            np.save(folder / f"{clip}_gt{number}.npy", sequence)


def load(folder: Path) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Predictions and the targets of each, memory-mapped."""
    clips = len(list(folder.glob("*_pred.npy")))
    predictions = [np.load(folder / f"{clip}_pred.npy", mmap_mode="r") for clip in range(clips)]
    targets = [
        [np.load(folder / f"{clip}_gt{number}.npy", mmap_mode="r") for number in range(TARGETS)]
        for clip in range(clips)
    ]
    return predictions, targets


def cells(folder: Path) -> float:
    """Pairs of frames of all comparisons; each has a cell for action units, affect, expressions."""
    predictions, targets = load(folder)
    return float(
        sum(
            len(clip) * clip.shape[1] * len(target)
            for clip, suiting in zip(predictions, targets, strict=True)
            for target in suiting
        )
    )
