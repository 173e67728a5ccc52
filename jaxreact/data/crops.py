"""One training or evaluation item: the same stretch of time of everything that a dyad holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from jaxreact.data.cache import ArrayCache
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, Clip, Dyad
from jaxreact.errors import UserError
from jaxreact.face import FPS


@dataclass(frozen=True)
class CropReader:
    """Reads stretches of a data set's dyads as dictionaries of numpy arrays (see `read`).

    `frames` is the length of a stretch, `audio_frames` how many of its first frames have their
    sound read, `mean_face` (58,) what is subtracted from coefficients. Picklable.
    """

    data: Conversations
    frames: int
    audio_frames: int
    modalities: tuple[str, ...]
    mean_face: Float[np.ndarray, "58"]
    cache: ArrayCache
    speaker_emotion: bool = False

    def read(self, dyad: Dyad, start: int) -> dict[str, np.ndarray]:
        """Frames `start` to `start + frames` of a dyad, float32.

        "speaker_coeffs", "listener_coeffs" (frames, 58) mean-subtracted; "listener_emotion" and,
        if asked for, "speaker_emotion" (frames, 25); "speaker_waveform" (audio_frames * 640,) at
        16 kHz, zeros where the file ends early. Only what `modalities` names.
        """
        item = {}
        if COEFFS in self.modalities:
            item["speaker_coeffs"] = self._coeffs(dyad.speaker, start)
            item["listener_coeffs"] = self._coeffs(dyad.listener, start)
        if EMOTION in self.modalities:
            item["listener_emotion"] = self._emotion(dyad.listener, start)
            if self.speaker_emotion:
                item["speaker_emotion"] = self._emotion(dyad.speaker, start)
        if AUDIO in self.modalities:
            item["speaker_waveform"] = self.data.waveform(dyad.speaker, start, self.audio_frames)
        return item

    def _coeffs(self, clip: Clip, start: int) -> np.ndarray:
        raw = self.cache.get((COEFFS, clip), partial(self.data.coeffs, clip))
        return raw[start : start + self.frames] - self.mean_face

    def _emotion(self, clip: Clip, start: int) -> np.ndarray:
        whole = self.cache.get((EMOTION, clip), partial(self.data.emotion, clip))
        return whole[start : start + self.frames].copy()


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
            f"({frames / FPS:g} s); remove their rows from the list: {named}"
        )


def random_start(total: int, frames: int, rng: np.random.Generator) -> int:
    """First frame of a random stretch: uniform in 0 .. total - 1 - frames, both ends included.

    The very last frame is never used unless total == frames: so does the original (behaviour 55).
    """
    return int(rng.integers(0, total - 1 - frames, endpoint=True)) if frames < total else 0
