"""A data set, wherever it lies: in the REACT2024 layout, or packed by `jaxreact.data.prepare`.

data = open_conversations("data/react2024")
dyads = data.dyads("val")                        # everything is known to be there
coeffs = data.coeffs(dyads[0].speaker)           # (frames, 58) raw
matrix = data.neighbours("val", len(dyads))      # row k: whose listeners also suit dyad k
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.data.layout import MODALITIES, Clip, Dyad, modality_folder
from jaxreact.data.modality import Modality
from jaxreact.data.packed import Packed
from jaxreact.data.packed_index import AGAIN, INDEX, SHARD_SUFFIX
from jaxreact.data.react2024 import React2024
from jaxreact.errors import UserError

_STORES = ("gs:", "s3:")


@runtime_checkable
class Conversations(Protocol):
    """What training and evaluation need of a data set. Picklable, and safe to read in threads.

    Every method raises `UserError`, naming the file, for what is missing or damaged.
    """

    @property
    def path(self) -> Path:
        """Where the data set lies, as the user gave it."""
        ...

    def dyads(
        self, split: str, modalities: Iterable[str | Modality] = MODALITIES, mirrored: bool = True
    ) -> list[Dyad]:
        """A split's ordered pairs: every row with column 1 as the speaker, then, if `mirrored`,
        every row with column 2 as the speaker, which is the order of the neighbour matrices
        (behaviour 55). `modalities`, all of which can then be read, are `Modality`s or names of
        files: "coeffs", "emotion" and "video" of both persons, "audio" of the speaker only."""
        ...

    def coeffs(self, clip: Clip) -> Float[np.ndarray, "frames 58"]:
        """Face coefficients (clip.frames, 58) float32, raw (mean face included)."""
        ...

    def emotion(self, clip: Clip) -> Float[np.ndarray, "frames 25"]:
        """Emotion channels (clip.frames, 25) float32, in the order of `face.EMOTIONS`."""
        ...

    def waveform(self, clip: Clip, start: int, frames: int) -> Float[np.ndarray, "samples"]:
        """Sound from frame `start` on, (frames * 640,) float32, 16 kHz mono, zeros behind its end.

        The same stretch from the files and from a cache differs slightly: the files' is cut and
        then resampled, as in the original; a cache holds the whole clip resampled, in 16 bits.
        """
        ...

    def sound(self, clip: Clip, seconds: float) -> tuple[Float[np.ndarray, "samples"], int]:
        """The first `seconds` of sound, mono, at the best rate there is: (waveform, rate)."""
        ...

    def video(self, clip: Clip) -> Path | None:
        """The clip's recorded face, a folder of frames or a film (`data.recorded` reads both), or
        None where there is none. A cache has no such file."""
        ...

    def pictures(
        self, clip: Clip, start: int, frames: int
    ) -> Iterable[UInt8[np.ndarray, "height width 3"]]:
        """Pictures of the clip from frame `start` on, the last one repeated behind its end; of a
        root as they were recorded, of a cache the whole of each in a small size."""
        ...

    def mean_face(self) -> Float[np.ndarray, "58"]:
        """What is subtracted from raw coefficients, (58,) float32."""
        ...

    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """Row k has a 1 where dyad j's listener also suits dyad k; n mirrored dyads."""
        ...

    def fingerprint(self) -> str:
        """16 hex digits that tell data sets apart by their content, wherever they lie.

        A root and a cache of it have different ones, since their sound differs slightly.
        """
        ...


def holds(data: Conversations, split: str, modality: str) -> bool:
    """Whether a data set has such files at all: a cache has, but of a root somebody may have
    downloaded a part."""
    return not isinstance(data, React2024) or modality_folder(data.path, split, modality).is_dir()


def open_conversations(path: str | Path) -> Conversations:
    """The data set at `path`: a cache where it holds `cache.json`, else a REACT2024 root.

    Of a root nothing is read yet. Raises `UserError` for a damaged or unfinished cache, and for an
    address of an object store, which neither can be read from.
    """
    path = Path(path)
    if path.parts and path.parts[0] in _STORES:
        raise UserError(
            f"{path.parts[0]}//{'/'.join(path.parts[1:])}: data is read from file systems only; "
            "copy the cache to a local disk, or mount the bucket"
        )
    if (path / INDEX).exists():
        return Packed(path)
    if any(path.glob(f"*/*{SHARD_SUFFIX}")):
        raise UserError(f"{path / INDEX}: missing, packing is unfinished; run {AGAIN} to finish it")
    return React2024(path)
