"""The sound of a film a little at a time, for films whose sound is not to be held."""

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import NotFiniteError
from jaxreact.media.resampling import resampled
from jaxreact.media.sound import SAMPLE_RATE, check_request
from jaxreact.media.sound_track import SoundTrack


class SoundInPieces:
    """The sound of a film: all together what `sound.read_audio` and `read_native_audio` give.

    Memory does not grow with its length but for 20 MB an hour. Every reading decodes it anew.
    """

    def __init__(self, path: str | Path, duration: float | None = None) -> None:
        """Looks through the first `duration` seconds, None: all of the film.

        Raises `UserError` for a missing, empty, damaged or truncated file, and one without a sound
        track.
        """
        self._path = Path(os.fspath(path))
        check_request(self._path, 0.0, duration)
        self._track = SoundTrack(self._path, duration)

    @property
    def rate(self) -> int:
        """Samples a second of the file."""
        return self._track.rate

    @property
    def seconds(self) -> float:
        """How long it is, to a sample for each time that its clock had to be put right."""
        return self._track.seconds

    def native(self) -> Iterator[Float[np.ndarray, "samples"]]:
        """Yields it mono at `rate`, in about [-1, 1], as `read_native_audio` gives it.

        Raises `NotFiniteError` for samples that are not finite, and else as the constructor.
        """
        for part in self._track.pieces():
            if not np.isfinite(part).all():
                raise NotFiniteError(
                    f"{self._path}: contains samples that are not finite; export the sound again"
                )
            yield part

    def resampled(self) -> Iterator[Float[np.ndarray, "samples"]]:
        """Yields it mono at 16 kHz, as `read_audio` gives it; raises as `native`."""
        taken = _Counted(self.native())
        given = 0
        for part in resampled(taken, self.rate, SAMPLE_RATE):
            # Only the resampler's last samples can be more than there should be.
            length = math.ceil(taken.samples * (SAMPLE_RATE / self.rate))
            wanted = part[: length - given]
            given += len(wanted)
            yield wanted
        if lacking := math.ceil(taken.samples * (SAMPLE_RATE / self.rate)) - given:
            yield np.zeros(lacking, np.float32)


class _Counted:
    """Sound that passes, and how many samples have."""

    def __init__(self, parts: Iterable[np.ndarray]) -> None:
        self._parts = parts
        self.samples = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for part in self._parts:
            self.samples += len(part)
            yield part


def in_lengths(
    parts: Iterable[Float[np.ndarray, "samples"]], count: int
) -> Iterator[Float[np.ndarray, "samples"]]:
    """The same sound in parts of `count` samples; the last may be shorter."""
    held: list[np.ndarray] = []
    ready = 0
    for part in parts:
        held.append(part)
        ready += len(part)
        if ready < count:
            continue
        whole = np.concatenate(held)
        for first in range(0, ready - ready % count, count):
            yield whole[first : first + count]
        ready %= count
        held = [whole[len(whole) - ready :]]
    if ready:
        yield np.concatenate(held)
