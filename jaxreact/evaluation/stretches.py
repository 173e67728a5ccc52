"""Clips of any length, cut into stretches of one length that are generated as if each were a clip.

A clip's last stretch ends with the clip: it begins within the one before it, whose frames are kept.
A clip that is shorter than a stretch is filled up by its last frame and silence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxreact.data.cache import ArrayCache
from jaxreact.data.conversations import Conversations
from jaxreact.data.crops import CropReader
from jaxreact.data.layout import Dyad
from jaxreact.data.modality import Modality
from jaxreact.media.sound import SAMPLES_PER_FRAME

_CACHE = 64 << 20
"""Bytes of tables that are kept between the stretches of one clip."""


@dataclass(frozen=True)
class Stretch:
    """`frames` frames of a clip from `begin` on, of which those before `first` were had before."""

    clip: int
    number: int
    begin: int
    frames: int
    first: int

    @property
    def kept(self) -> slice:
        """Which frames of the stretch count."""
        return slice(self.first - self.begin, self.frames)


def stretches(lengths: Sequence[int], clips: Sequence[int], longest: int | None) -> list[Stretch]:
    """Of the clips by number, of so many frames each: whole, or in stretches of `longest` frames,
    the clip's own where it is shorter."""
    return [
        Stretch(clip, number, max(min(first, length - size), 0), size, first)
        for clip in clips
        for length in [lengths[clip]]
        for size in [min(length, longest or length)]
        for number, first in enumerate(range(0, length, size))
    ]


class StretchReader:
    """Reads what a system needs of stretches of a data set's dyads."""

    def __init__(
        self, data: Conversations, dyads: Sequence[Dyad], modalities: Sequence[Modality]
    ) -> None:
        self._data, self._dyads, self._modalities = data, dyads, tuple(modalities)
        self._cache = ArrayCache(_CACHE)

    def read(
        self, some: Sequence[Stretch], multiple: int, least: int = 0
    ) -> list[dict[str, np.ndarray]]:
        """An item of each, as `pipeline.evaluation_items` has them, all of one length: that of the
        longest, at least `least`, made a whole multiple."""
        longest = max([least, *(stretch.frames for stretch in some)])
        frames = -(-longest // multiple) * multiple
        return [self._filled_up(self._item(stretch), stretch.frames, frames) for stretch in some]

    def _item(self, stretch: Stretch) -> dict[str, np.ndarray]:
        reader = CropReader(self._data, self._modalities, stretch.frames, None, self._cache)
        return reader.read(self._dyads[stretch.clip], stretch.begin)

    def _filled_up(
        self, item: Mapping[str, np.ndarray], frames: int, wanted: int
    ) -> dict[str, np.ndarray]:
        """The item in `wanted` frames: the last one stands, and is silent."""
        more = wanted - frames

        def filled(modality: Modality) -> np.ndarray:
            rows = item[modality.key]
            if modality.kind == "traits" or not more:
                return rows
            if modality.kind == "waveform":
                return np.pad(rows, (0, more * SAMPLES_PER_FRAME))
            return np.pad(rows, ((0, more), *((0, 0),) * (rows.ndim - 1)), mode="edge")

        return {modality.key: filled(modality) for modality in self._modalities}
