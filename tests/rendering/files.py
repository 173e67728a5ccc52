"""Small files of reactions, for the tests of what shows them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxreact.face import COEFFS, EXPRESSION, INDEX
from jaxreact.predictions import Predictions, write_predictions
from jaxreact.rendering import HeadModel
from jaxreact.rendering.pictures.expression import upright
from jaxreact.rendering.pictures.reactions import Reactions, Recording

FRAMES = 5
CLIPS = ("NoXI/a/Expert_video/1", "NoXI/b/Expert_video/1")


def moving(*shape: int, seed: int = 0) -> np.ndarray:
    """Raw coefficients (*shape, 58) of faces near the neutral one; frames are the last of shape."""
    noise = np.random.default_rng(seed).random((*shape, COEFFS), np.float32)
    coeffs = upright(1)[0] + 0.2 * (noise - 0.5)
    coeffs[..., EXPRESSION] = 0.6 * noise[..., EXPRESSION]
    return coeffs.astype(np.float32)


def feeling(*shape: int, seed: int = 0) -> np.ndarray:
    """Emotion (*shape, 25)."""
    return np.random.default_rng(100 + seed).random((*shape, 25), np.float32)


def nobody(run: Path, recording: Recording, samples: int) -> Reactions:
    """Reacts where no run directory is given."""
    raise AssertionError(run)


def plate(**still: float) -> HeadModel:
    """A tiny head: a square before a smaller one. A unit moves a corner of the first, by 0.1; those
    that are named move one of the second, which is never seen, by so much."""
    front = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * [0.4, 0.4, 1]
    corners = np.concatenate([front, front * 0.5 + [0, 0, 0.3]]).astype(np.float32)
    units = np.zeros((52, 8, 3), np.float32)
    units[:, 2, 0] = 0.1
    for name, distance in still.items():
        units[INDEX[name], 2] = 0
        units[INDEX[name], 6, 0] = distance
    return HeadModel(
        neutral=corners,
        units=units,
        faces=np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]], np.int32),
        colors=np.full((8, 3), 0.6, np.float32),
        gloss=np.zeros(8, np.float32),
        grip=np.ones(8, np.float32),
        pivot=np.zeros(3, np.float32),
    )


def predictions_file(
    path: Path,
    clips: Sequence[str] | None = CLIPS,
    samples: int = 3,
    frames: int = FRAMES,
    seed: int = 0,
) -> Path:
    """A predictions.npz as of an evaluation; without names where `clips` is None. `seed` is that of
    the reactions alone."""
    count = len(clips or CLIPS)
    path.parent.mkdir(parents=True, exist_ok=True)
    listener, speaker = (feeling(count, max(frames, FRAMES), seed=of) for of in (51, 52))
    made = Predictions(
        feeling(count, samples, frames, seed=seed),
        moving(count, samples, frames, seed=seed),
        listener[:, :frames],
        speaker[:, :frames],
        None if clips is None else tuple(clips),
    )
    write_predictions(path, made)
    return path


def reaction_file(path: Path, samples: int = 2, frames: int = FRAMES, seed: int = 0) -> Path:
    """A reaction.npz as of jaxreact.react; `seed` is that of the listeners alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        coeffs=moving(samples, frames, seed=seed),
        emotion=feeling(samples, frames, seed=seed),
        speaker=moving(frames, seed=50),
        tracked=np.ones(frames, bool),
        fps=25,
    )
    return path
