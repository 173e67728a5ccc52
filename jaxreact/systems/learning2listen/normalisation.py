"""Mean and deviation of channels, as the original measures them and as they are."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from jaxreact.systems.learning2listen.config import Mode

_LEAST = 1e-10
"""What the original adds to deviations."""

LEAST_DEVIATION = 1e-3
"""Of channels that hardly move."""


def original_statistics(
    clips: Float[np.ndarray, "clips time channels"],
) -> tuple[Float[np.ndarray, "channels"], Float[np.ndarray, "channels"]]:
    """Mean and what the original divides by: the deviation over clips of each clip's own deviation
    (behaviour L1), which is much less than the channel's, and next to nothing for one clip."""
    return _of_moments(clips.mean(1), clips.std(1), "original")


def measured_statistics(
    recordings: Iterable[Float[np.ndarray, "_ channels"]], length: int, mode: Mode
) -> tuple[Float[np.ndarray, "channels"], Float[np.ndarray, "channels"]]:
    """Mean and deviation of the channels of recordings, which are cut into clips of `length`.

    What is left at an end is not looked at. Of clips no more than their moments are kept.
    """
    means, deviations = [], []
    for recording in recordings:
        count = len(recording) // length
        clips = (
            recording[: count * length]
            .astype(np.float64)
            .reshape(count, length, recording.shape[-1])
        )
        means.append(clips.mean(1))
        deviations.append(clips.std(1))
    mean, std = _of_moments(np.concatenate(means), np.concatenate(deviations), mode)
    return mean.astype(np.float32), std.astype(np.float32)


def _of_moments(
    means: Float[np.ndarray, "clips channels"],
    deviations: Float[np.ndarray, "clips channels"],
    mode: Mode,
) -> tuple[Float[np.ndarray, "channels"], Float[np.ndarray, "channels"]]:
    """Of all clips together, or as the original has it."""
    mean = means.mean(0)
    if mode == "original":
        return mean, deviations.std(0) + _LEAST
    variance = (deviations**2 + (means - mean) ** 2).mean(0)
    return mean, np.maximum(np.sqrt(variance), LEAST_DEVIATION)
