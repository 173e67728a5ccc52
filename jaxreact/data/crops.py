"""One training or evaluation item: the same stretch of time of everything that a dyad holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from jaxreact.data.audio import SAMPLE_RATE, read_audio
from jaxreact.data.cache import ArrayCache
from jaxreact.data.contents import load_coeffs, load_emotion
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, Clip, Dyad
from jaxreact.errors import UserError
from jaxreact.face import FPS

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
"""640 samples of 16 kHz sound a frame."""


@dataclass(frozen=True)
class CropReader:
    """Reads stretches of dyads as dictionaries of numpy arrays (see `read`).

    `frames` is the length of a stretch, `audio_frames` how many of its first frames have their
    sound read, `mean_face` (58,) what is subtracted from coefficients. Picklable.
    """

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
            item["speaker_waveform"] = self._waveform(dyad.speaker, start)
        return item

    def _coeffs(self, clip: Clip, start: int) -> np.ndarray:
        raw = self.cache.get(clip.coeffs, partial(load_coeffs, clip))
        return raw[start : start + self.frames] - self.mean_face

    def _emotion(self, clip: Clip, start: int) -> np.ndarray:
        whole = self.cache.get(clip.emotion, partial(load_emotion, clip))
        return whole[start : start + self.frames].copy()

    def _waveform(self, clip: Clip, start: int) -> np.ndarray:
        """Read anew each time: it takes 9 ms for 10 s, and only so do the ends of a stretch sound
        as in the original, which resamples the stretch and not the file (behaviour 50)."""
        if clip.audio is None:
            raise ValueError(f"{clip.name} was read without audio: name it in read_split")
        samples = self.audio_frames * SAMPLES_PER_FRAME
        waveform = read_audio(clip.audio, start / FPS, self.audio_frames / FPS)[:samples]
        return np.pad(waveform, (0, samples - len(waveform)))


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
