"""Naive baselines, as predictions (N, K, T, 25): what a model has to beat.

All but `random` repeat one reaction for the K samples, as a read-only view that copies nothing.
Source: the challenge's baselines (REACT 2023/2024).
"""

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import EMOTION
from jaxreact.errors import UserError
from jaxreact.face import EMOTION_CHANNELS

Baseline = Literal["gt", "mime", "random", "mean-sequence", "mean-frame"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)
UNTRAINED: tuple[Baseline, ...] = ("gt", "mime", "random")
"""Those that need no training split."""


def baseline(
    name: str,
    listener: Float[np.ndarray, "clips frames 25"],
    speaker: Float[np.ndarray, "clips frames 25"],
    samples: int = 10,
    *,
    training_mean: Float[np.ndarray, "length 25"] | None = None,
    seed: int = 0,
) -> Float[np.ndarray, "clips samples frames 25"]:
    """The predictions of the baseline `name` for these clips.

    `training_mean` comes from `mean_training_reaction` and is needed by the two mean baselines;
    `seed` is used by `random` only. Raises `UserError` for an unknown name or a missing or too
    short mean.
    """
    if name == "gt":
        return ground_truth(listener, samples)
    if name == "mime":
        return mime(speaker, samples)
    clips, frames = listener.shape[:2]
    if name == "random":
        return random(clips, samples, frames, seed)
    if name not in BASELINES:
        raise UserError(f"baseline {name!r} does not exist; choose from {', '.join(BASELINES)}")
    if training_mean is None:
        raise UserError(f"baseline {name} needs the training split's mean reaction")
    if name == "mean-frame":
        return mean_frame(training_mean, clips, samples, frames)
    return mean_sequence(training_mean, clips, samples, frames)


def ground_truth(
    listener: Float[np.ndarray, "clips frames 25"], samples: int
) -> Float[np.ndarray, "clips samples frames 25"]:
    """The listener's own reaction: the ceiling, FRD 0."""
    clips, frames, channels = listener.shape
    return np.broadcast_to(listener[:, None], (clips, samples, frames, channels))


def mime(
    speaker: Float[np.ndarray, "clips frames 25"], samples: int
) -> Float[np.ndarray, "clips samples frames 25"]:
    """The speaker's own behaviour at the same moment."""
    return ground_truth(speaker, samples)


def random(
    clips: int, samples: int, frames: int, seed: int
) -> Float[np.ndarray, "clips samples frames 25"]:
    """Independent uniform noise in [0, 1) in every channel of every frame."""
    shape = (clips, samples, frames, EMOTION_CHANNELS)
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def mean_sequence(
    training_mean: Float[np.ndarray, "length 25"], clips: int, samples: int, frames: int
) -> Float[np.ndarray, "clips samples frames 25"]:
    """What the training listeners do on average at each frame index, the same for every clip."""
    if len(training_mean) < frames:
        raise UserError(
            f"the training split's mean reaction has {len(training_mean)} frames, the clips have "
            f"{frames}; use longer training clips or the baseline mean-frame"
        )
    return np.broadcast_to(training_mean[:frames], (clips, samples, frames, EMOTION_CHANNELS))


def mean_frame(
    training_mean: Float[np.ndarray, "length 25"], clips: int, samples: int, frames: int
) -> Float[np.ndarray, "clips samples frames 25"]:
    """One motionless face: the mean of `training_mean` over its frames."""
    face = training_mean.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.broadcast_to(face, (clips, samples, frames, EMOTION_CHANNELS))


def mean_reaction(
    sequences: Iterable[Float[np.ndarray, "_ 25"]], frames: int
) -> Float[np.ndarray, "frames 25"]:
    """Mean over the training listeners at each of the first `frames` frame indices, float32.

    Sequences may differ in length; one that ends early takes no part beyond its end. Raises
    `UserError` if no sequence reaches `frames`.
    """
    total, count = np.zeros((frames, EMOTION_CHANNELS)), np.zeros((frames, 1))
    for sequence in sequences:
        length = min(len(sequence), frames)
        total[:length] += sequence[:length]
        count[:length] += 1
    if not count.all():
        raise UserError(f"no training clip has the {frames} frames that the mean reaction needs")
    return (total / count).astype(np.float32)


def mean_training_reaction(data: Conversations, frames: int) -> Float[np.ndarray, "frames 25"]:
    """The mean reaction over the listeners of a data set's training split: see `mean_reaction`."""
    dyads = data.dyads("train", modalities=(EMOTION,))
    clips = tqdm(dyads, "mean reaction", unit="clip", delay=2, disable=None)
    return mean_reaction((data.emotion(dyad.listener) for dyad in clips), frames)
