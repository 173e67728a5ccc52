"""What naive listeners reach on clips of any lengths: those of REACT 2026, by its definitions.

gt          the recorded listener, stretched to the speaker's length where it is not that
mime        the speaker's own behaviour at the same moment
random      coin flips, a truncated normal for valence and arousal, a random mixture of expressions
mean-frame  the mean frame of all training listeners, motionless

REACT 2026's ground truth counts its targets themselves as predictions and prints an FRC of 10 by
decree; here a clip's own listener is repeated, as for REACT2024.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import truncnorm
from tqdm import tqdm

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import EMOTION
from jaxreact.face import ACTION_UNITS, EMOTION_CHANNELS, EMOTION_PROBABILITIES, VALENCE_AROUSAL
from jaxreact.metrics.clipwise import aggregate, clipwise
from jaxreact.metrics.ragged.challenge import Align
from jaxreact.metrics.ragged.resampling import resampled
from jaxreact.metrics.score import Score

NAMES = ("gt", "mime", "random", "mean-frame")
_DEVIATION = 0.5
"""Of random valence and arousal, which lie in [-1, 1]."""


def mean_frame(sequences: Iterable[Float[np.ndarray, "_ 25"]]) -> Float[np.ndarray, "25"]:
    """The mean of all frames of all sequences, float32; zeros where there are none."""
    total, count = np.zeros(EMOTION_CHANNELS), 0
    for sequence in sequences:
        total += sequence.sum(axis=0, dtype=np.float64)
        count += len(sequence)
    return (total / max(count, 1)).astype(np.float32)


def mean_training_frame(data: Conversations) -> Float[np.ndarray, "25"]:
    """`mean_frame` of a data set's training listeners."""
    dyads = data.dyads("train", modalities=(EMOTION,))
    clips = tqdm(dyads, "mean frame", unit="clip", delay=2, disable=None)
    return mean_frame(data.recorded_emotion(dyad.listener) for dyad in clips)


def ragged_baseline(
    name: str,
    listener: Sequence[Float[np.ndarray, "_ 25"]],
    speaker: Sequence[Float[np.ndarray, "_ 25"]],
    samples: int,
    mean: Float[np.ndarray, "25"],
    seed: int = 0,
) -> list[Float[np.ndarray, "_ _ 25"]]:
    """Reactions of the baseline `name`, one of `NAMES`, each as long as its speaker."""
    lengths = [len(rows) for rows in speaker]
    if name == "random":
        rng = np.random.default_rng(seed)
        return [_random(samples, length, rng) for length in lengths]
    shown: Iterator[np.ndarray]
    if name == "gt":
        pairs = zip(listener, lengths, strict=True)
        shown = (resampled(rows, length) for rows, length in pairs)
    elif name == "mime":
        shown = iter(speaker)
    else:
        shown = (np.broadcast_to(mean, (length, EMOTION_CHANNELS)) for length in lengths)
    return [np.broadcast_to(rows, (samples, *rows.shape)) for rows in shown]


def _random(samples: int, frames: int, rng: np.random.Generator) -> np.ndarray:
    made = np.empty((samples, frames, EMOTION_CHANNELS), np.float32)
    made[..., ACTION_UNITS] = rng.integers(0, 2, made[..., ACTION_UNITS].shape)
    reach = 1 / _DEVIATION
    size = made[..., VALENCE_AROUSAL].shape
    made[..., VALENCE_AROUSAL] = _DEVIATION * truncnorm.rvs(
        -reach, reach, size=size, random_state=rng
    )
    mixture = rng.random(made[..., EMOTION_PROBABILITIES].shape)
    made[..., EMOTION_PROBABILITIES] = mixture / mixture.sum(axis=-1, keepdims=True)
    return made


def ragged_baseline_scores(
    listener: Sequence[Float[np.ndarray, "_ 25"]],
    speaker: Sequence[Float[np.ndarray, "_ 25"]],
    targets: Sequence[Sequence[Float[np.ndarray, "_ 25"]]],
    mean: Float[np.ndarray, "25"],
    *,
    samples: int,
    mode: str,
    fps: int,
    scores: tuple[Score, ...],
    align: Align | None = None,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Baseline -> its scores with `samples` reactions to each clip; all but `random` repeat one
    reaction, which is therefore scored once."""
    reached = {}
    for name in tqdm(NAMES, "baselines", unit="baseline", delay=2, disable=None):
        number = samples if name == "random" else 1
        reactions = ragged_baseline(name, listener, speaker, number, mean, seed)
        of_clips = clipwise(
            reactions, targets, speaker, None, mode, scores, fps=fps, align=align, seed=seed
        )
        reached[name] = aggregate(of_clips.repeated(samples))
    return reached
