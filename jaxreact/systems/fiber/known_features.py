"""What the audio encoder hears in whole clips, computed once and kept.

The encoder normalises what it is given, so that the features of a crop are not those that the crop
has within its clip (behaviour 48), which generation goes by. These depend on the clip alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
from jaxtyping import Float, Float16

from jaxreact.audio_features.batches import STRETCH, audio_features
from jaxreact.audio_features.load import Encoder
from jaxreact.audio_features.wav2vec2 import AudioEncoder
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip
from jaxreact.devices import one_ahead
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.systems.fiber.config import AUDIO_RATE
from jaxreact.systems.fiber.kept_table import KeptTable, KnownRows
from jaxreact.variables import variables_of


@dataclass(frozen=True)
class KnownFeatures(KnownRows):
    """A file of features, two rows for each frame."""

    def __call__(
        self, clip: Clip, start: int, frames: int
    ) -> Float16[np.ndarray, "steps features"]:
        """Features of `frames` frames of a clip from `start` on, two each, as float16.

        They are where generation has them: the clip's first are zeros (behaviour 49).
        """
        return self.rows(clip, AUDIO_RATE * start, AUDIO_RATE * (start + frames)).copy()


class FeatureTable(KeptTable[KnownFeatures]):
    """What an audio encoder hears in some clips: 1.5 MB each of 30 s."""

    FOLDER: ClassVar = "features"
    MAX_BYTES: ClassVar = 16 * 1024**3
    UNIT: ClassVar = "step"

    def __init__(self, data: Conversations, clips: Iterable[Clip], encoder: AudioEncoder):
        self.encoder = encoder
        super().__init__(data, clips)

    def _count(self, clip: Clip) -> int:
        return AUDIO_RATE * clip.frames

    @property
    def _width(self) -> int:
        return self.encoder.config.features

    @property
    def _type(self) -> np.dtype[Any]:
        return np.dtype(np.float16)

    @property
    def _named(self) -> Mapping[str, Any]:
        encoder = fingerprint(self.encoder.config, variables_of(self.encoder))
        return {"encoder": encoder, "stretch": STRETCH}

    def _content(self, clip: Clip) -> Float[np.ndarray, "samples"]:
        return self.data.waveform(clip, 0, clip.frames)

    def _known(self, file: Path, firsts: Mapping[tuple[str, str], int]) -> KnownFeatures:
        return KnownFeatures(file, firsts)

    def _computed(self) -> Iterator[Float[np.ndarray, "steps features"]]:
        encoder = Encoder(self.encoder, {}, "audio encoder")

        def put(waveform: Any) -> jax.Array:
            return jax.device_put(waveform, jax.local_devices()[0])

        begun = (
            audio_features(encoder, self._content(clip), clip.frames, put) for clip in self.clips
        )
        for features in one_ahead(begun):
            yield np.pad(np.asarray(features)[0], ((1, 0), (0, 0)))
