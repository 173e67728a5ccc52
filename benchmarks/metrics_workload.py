"""What both halves of `benchmarks/metrics.py` score: made-up reactions, smooth and face-like.

Not the simulated conversations of `jaxreact.simulation`, which take longer to make than to
score: smooth noise (white noise averaged over half a second, twice), around a level of the
person's own. The truth has action units of 0 and 1, valence and arousal in (-1, 1) and
probabilities of expressions; predictions share some of the listener's course, a little later, and
have action units between 0 and 1, as a model's are.
"""

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

NAMES = ("predictions", "listener", "speaker", "neighbours")
NEIGHBOURS = 10
_WIDTH = 12


def make(directory: Path, clips: int, samples: int, frames: int) -> None:
    """Writes the four arrays as .npy, clip by clip."""
    random = np.random.default_rng(0)
    shapes = ((clips, samples, frames, 25), (clips, frames, 25), (clips, frames, 25))
    predictions, listener, speaker = (
        open_memmap(directory / f"{name}.npy", "w+", np.float32, shape)
        for name, shape in zip(NAMES, shapes, strict=False)
    )
    for clip in tqdm(range(clips), "arrays", unit="clip", delay=2, disable=None):
        level = 0.7 * random.standard_normal((3, 1, 25), np.float32) - 0.5
        own, other = smooth(random, 2, frames)
        listener[clip] = face(level[0] + own, binary=True)
        speaker[clip] = face(level[1] + other, binary=True)
        later = np.roll(own, int(random.integers(50)), axis=0)
        courses = 0.6 * later + 0.8 * smooth(random, samples, frames)
        predictions[clip] = face(0.5 * level[0] + 0.5 * level[2] + courses, binary=False)
    order = random.permutation(clips)
    neighbours = np.zeros((clips, clips))
    for step in range(NEIGHBOURS):
        neighbours[order, np.roll(order, step - NEIGHBOURS // 2)] = 1
    np.save(directory / "neighbours.npy", neighbours)


def load(directory: Path) -> list[np.ndarray]:
    """The four arrays, memory-mapped."""
    return [np.load(directory / f"{name}.npy", mmap_mode="r") for name in NAMES]


def smooth(random: np.random.Generator, count: int, frames: int) -> np.ndarray:
    """(count, frames, 25) of variance 1."""
    course = random.standard_normal((count, frames + 2 * _WIDTH, 25), np.float32)
    for _ in range(2):
        sums = course.cumsum(axis=1)
        course = sums[:, _WIDTH:] - sums[:, :-_WIDTH]
    return course / course.std()


def face(course: np.ndarray, binary: bool) -> np.ndarray:
    """25 emotion channels from 25 unbounded ones, frame by frame."""
    units, affect, expressions = np.split(course, (15, 17), axis=-1)
    units = units > 0 if binary else 1 / (1 + np.exp(-3 * units))
    likelihood = np.exp(1.5 * expressions)
    shares = likelihood / likelihood.sum(axis=-1, keepdims=True)
    return np.concatenate([units, np.tanh(0.5 * affect), shares], axis=-1, dtype=np.float32)
