"""The search for the nearest reaction on a device of JAX's, which compares all."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxreact.devices import one_ahead
from jaxreact.metrics.warping.dtw_gpu import dtw
from jaxreact.metrics.warping.pairs import Pairs, Progress, keep_nearest

_ARRAYS = 12
"""float32 arrays as large as a sequence for each pair: both sequences, the same as `dtw` arranges
and fills them up, and two more of the next pair with what these are taken from."""


class Search:
    """A fixed number of pairs at a time, so that `dtw` is compiled once; while the device compares
    them, the next are begun."""

    def __init__(self, predicted: np.ndarray, truth: np.ndarray, memory: int):
        self.size = most_pairs(memory // 2, predicted, truth)
        """Pairs that are compared at once."""
        self._predicted, self._truth = (There(each, memory // 4) for each in (predicted, truth))

    def run(self, pairs: Pairs, nearest: np.ndarray, progress: Progress) -> None:
        """Leaves in `nearest` what `pairs` give."""
        size = min(self.size, 1 << (len(pairs) - 1).bit_length())
        batches = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        for batch, blocks in one_ahead((batch, self._begin(batch, size)) for batch in batches):
            keep_nearest(nearest, batch, np.asarray(blocks)[:, : len(batch)])
            progress(len(batch))

    def _begin(self, batch: Pairs, size: int) -> Float[Array, "3 size"]:
        """Distances that the device still computes: of `batch`, filled up with repetitions."""
        clip, sample, other = batch[np.arange(size) % len(batch)].T
        return dtw(self._predicted.taken(clip, sample), self._truth.taken(other))


class There:
    """Sequences (..., frames, 25) on the device: all of them where they fit into `room` bytes,
    otherwise those of a batch, each once."""

    def __init__(self, sequences: np.ndarray, room: int):
        self._sequences, self._shape = sequences, sequences.shape[:-2]
        self._all: Array | None = jnp.asarray(sequences) if sequences.nbytes <= room else None

    def taken(self, *places: Int[np.ndarray, "pairs"]) -> Float[Array, "pairs frames 25"]:
        """The sequences at these places, one array of numbers for each axis before the frames."""
        if self._all is not None:
            return _taken(self._all, places)
        wanted, at = np.unique(np.ravel_multi_index(places, self._shape), return_inverse=True)
        # With the last of them to a power of two, so that few lengths are compiled for.
        rest = (1 << (len(wanted) - 1).bit_length()) - len(wanted)
        wanted = np.pad(wanted, (0, rest), mode="edge")
        return _taken(self._sequences[np.unravel_index(wanted, self._shape)], (at,))


_taken = jax.jit(lambda sequences, places: sequences[places])


def most_pairs(memory: int, *sequences: np.ndarray) -> int:
    """So many can be compared at once in buffers of `memory` bytes, a power of two; at least one.

    `sequences` are arrays (..., frames, 25) of both sides.
    """
    of_one = max(each.shape[-2] * each.shape[-1] for each in sequences)
    most = max(1, memory // (4 * _ARRAYS * of_one))
    return 1 << (most.bit_length() - 1)
