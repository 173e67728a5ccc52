"""Several channels to one: their mean, or, where they cancel each other, the loudest."""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import Remark

_CANCELS = 0.1
"""Share of the channels' strength that their mean has at least. Of N that have nothing to do with
each other it has 1 / sqrt(N), 0.35 of eight; a balanced cable in a stereo jack makes it 0."""

_AUDIBLE = 1e-4  # of full scale, -80 dB: below that there is nothing to choose from


class Strength:
    """Collects how strong channels and their mean are."""

    def __init__(self) -> None:
        self._mean, self._each, self._count = 0.0, np.zeros(0), 0

    def look(self, channels: Float[np.ndarray, "channels samples"]) -> None:
        """Takes more of the sound; where the number of channels changes, it begins anew."""
        if len(channels) != len(self._each):
            self._mean, self._each, self._count = 0.0, np.zeros(len(channels)), 0
        self._mean += float(np.square(channels.mean(axis=0)).sum())
        self._each += np.square(channels).sum(axis=1)
        self._count += channels.shape[1]

    def loudest_of_cancelling(self) -> int | None:
        """The loudest channel where their mean loses what they hold, otherwise None."""
        if not self._count or len(self._each) < 2:
            return None
        each = np.sqrt(self._each / self._count)
        is_audible = each.max() > _AUDIBLE
        if is_audible and np.sqrt(self._mean / self._count) < _CANCELS * each.mean():
            return int(each.argmax())
        return None


def mixed(
    path: Path, channels: Float[np.ndarray, "channels samples"]
) -> Float[np.ndarray, "samples"]:
    """One channel of several; remarks, naming `path`, where it is not their mean."""
    strength = Strength()
    strength.look(channels)
    loudest = strength.loudest_of_cancelling()
    if loudest is None:
        return channels.mean(axis=0, dtype=np.float32)
    remark_on_cancelling(path, loudest)
    return channels[loudest].astype(np.float32)


def remark_on_cancelling(path: Path, channel: int) -> None:
    """Says that channel `channel` (from 0) was taken instead of the mean."""
    warnings.warn(
        f"{path}: its channels cancel each other; channel {channel + 1} alone is used",
        Remark,
        stacklevel=2,
    )
