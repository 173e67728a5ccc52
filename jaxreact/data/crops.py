"""One training or evaluation item: the same stretch of time of everything that is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.data.cache import ArrayCache
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import COEFFS, EMOTION, Clip, Dyad
from jaxreact.data.modality import Modality, check_modalities, longest_context
from jaxreact.data.recorded import resized
from jaxreact.data.traits import traits_of
from jaxreact.errors import UserError
from jaxreact.face import FPS


@dataclass(frozen=True)
class CropReader:
    """Reads crops of a data set's dyads as dictionaries of numpy arrays (see `read`).

    A crop is `frames` frames long, and begins where each of `modalities` has its context before
    it; `mean_face` (58,) is subtracted from coefficients, which are raw without one. Picklable if
    the modalities are. Raises ValueError for modalities that do not go together.
    """

    data: Conversations
    modalities: tuple[Modality, ...]
    frames: int
    mean_face: Float[np.ndarray, "58"] | None
    cache: ArrayCache

    def __post_init__(self) -> None:
        check_modalities(self.modalities, self.frames)

    @property
    def context(self) -> int:
        """First frame at which a crop can begin."""
        return longest_context(self.modalities)

    @property
    def reach(self) -> int:
        """Frames that a crop takes of a dyad, its context included."""
        return self.context + self.frames

    def read(self, dyad: Dyad, first: int) -> dict[str, np.ndarray]:
        """What is asked for of the crop that begins at frame `first` >= `context`, by its keys.

        Shapes and types are those of `Modality`.
        """
        people = {"speaker": dyad.speaker, "listener": dyad.listener}
        return {
            modality.key: self._read(modality, people[modality.role], first)
            for modality in self.modalities
        }

    def _read(self, modality: Modality, clip: Clip, first: int) -> np.ndarray:
        if modality.kind == "traits":
            return traits_of(self.data, clip)
        frames = self.frames if modality.frames is None else modality.frames
        start, count = first - modality.before, modality.before + frames
        if modality.kind == "coeffs":
            return self._coeffs(clip, start, count)
        if modality.known is not None:
            return modality.known(clip, start, count)
        if modality.kind == "emotion":
            whole = self.cache.get((EMOTION, clip), partial(self.data.emotion, clip))
            return whole[start : start + count].copy()
        if modality.size is not None:
            return self._video(clip, start, count, modality.size)
        if modality.per_frame is not None:
            key = (modality.function, modality.per_frame, clip)
            whole = self.cache.get(key, partial(_features, self.data, modality, clip))
            return whole[modality.per_frame * start : modality.per_frame * (start + count)].copy()
        waveform = self.data.waveform(clip, start, count)
        return waveform if modality.function is None else modality.function(waveform)

    def _coeffs(self, clip: Clip, start: int, count: int) -> Float[np.ndarray, "count 58"]:
        whole = self.cache.get((COEFFS, clip), partial(self.data.coeffs, clip))
        raw = whole[start : start + count]
        return raw.copy() if self.mean_face is None else raw - self.mean_face

    def _video(
        self, clip: Clip, start: int, count: int, size: tuple[int, int]
    ) -> UInt8[np.ndarray, "count height width 3"]:
        pictures = self.data.pictures(clip, start, count)
        return np.stack([resized(picture, size) for picture in pictures])


def _features(data: Conversations, modality: Modality, clip: Clip) -> np.ndarray:
    """Of the whole clip. Raises ValueError where they are not so many a frame."""
    assert modality.function is not None
    assert modality.per_frame is not None
    made = modality.function(data.waveform(clip, 0, clip.frames))
    if len(made) != modality.per_frame * clip.frames:
        raise ValueError(
            f"{modality.key}: {len(made)} steps of {clip.frames} frames, not {modality.per_frame}"
            " each"
        )
    return made


def check_lengths(dyads: Sequence[Dyad], frames: int) -> None:
    """Raises one `UserError` if any dyad is shorter than `frames`, naming the first few."""
    if not dyads:
        raise UserError("the data set has no conversation to read")
    short = [dyad for dyad in dyads if dyad.frames < frames]
    if short:
        named = "; ".join(
            f"{dyad.speaker.name} with {dyad.listener.name}: {dyad.frames}" for dyad in short[:5]
        )
        raise UserError(
            f"{len(short)} of {len(dyads)} dyads are shorter than the {frames} frames needed "
            f"({frames / FPS:g} s); leave them out by `python -m jaxreact.data.prepare --shortest "
            f"{frames}`: {named}"
        )


def random_start(total: int, frames: int, rng: np.random.Generator) -> int:
    """First frame of a random stretch: uniform in 0 .. total - 1 - frames, both ends included.

    The very last frame is never used unless total == frames: so does the original (behaviour 55).
    """
    return int(rng.integers(0, total - 1 - frames, endpoint=True)) if frames < total else 0
