"""What reactions are compared with: the sequences that suit an item, whatever their lengths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from jaxreact.metrics.ragged.resampling import resampled

Clips = Float[np.ndarray, "clips samples frames 25"] | Sequence[Float[np.ndarray, "_ _ 25"]]
"""Predictions, a clip (K, T, 25) each: one array, or clips of any lengths."""

Sequences = Float[np.ndarray, "others length 25"] | Sequence[Float[np.ndarray, "_ 25"]]
"""Recorded persons' emotion, one (L, 25) each: one array, or of any lengths."""

_AT_ONCE = 16


@dataclass(frozen=True)
class Targets:
    """Sequences, and for every clip the indices of those that suit it.

    With a data set in one array these are all its listeners and the neighbours of each clip; of
    ragged lists they are what the lists hold, each sequence once.
    """

    sequences: Sequences
    lists: Sequence[Int[np.ndarray, "_"]]

    def fitted(self, clip: int, frames: int) -> Iterator[Float[np.ndarray, "_ frames 25"]]:
        """The sequences that suit a clip, in the length of its reaction, some at a time.

        Those of another length are resampled, see `resampled`.
        """
        others = self.lists[clip]
        if isinstance(self.sequences, np.ndarray):
            yield self.sequences[others]
            return
        for start in range(0, len(others), _AT_ONCE):
            some = others[start : start + _AT_ONCE]
            yield np.stack([resampled(self.sequences[other], frames) for other in some])


def lengths_of(clips: Clips) -> list[int]:
    """T of every clip."""
    return [clip.shape[-2] for clip in clips]
