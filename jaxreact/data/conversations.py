"""A data set, wherever it lies: in one of the releases' layouts, or packed by
`jaxreact.data.prepare`.

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

from jaxreact.data.layout import MODALITIES, Clip, Dyad, Release
from jaxreact.data.mars.data_set import Mars
from jaxreact.data.mars.files import is_mars
from jaxreact.data.modality import Modality
from jaxreact.data.packed import Packed
from jaxreact.data.packed_index import AGAIN, INDEX, SHARD_SUFFIX
from jaxreact.data.react2024.data_set import React2024
from jaxreact.data.recordings import Recordings
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

    @property
    def release(self) -> Release:
        """Which data set it is. Its files have the release's frame rate; everything below is given
        at 25 frames a second, the models' rate, but for `recorded_emotion`."""
        ...

    def dyads(
        self,
        split: str,
        modalities: Iterable[str | Modality] = MODALITIES,
        mirrored: bool | None = None,
    ) -> list[Dyad]:
        """A split's ordered pairs: every pair with its first person as the speaker, then, if
        `mirrored`, which is by default as the release has it, every pair with its second person as
        the speaker, which is the order of the neighbour matrices (behaviour 55). `modalities`, all
        of which can then be read, are `Modality`s or names of files: "coeffs", "emotion" and
        "video" of both persons, "audio" of the speaker only."""
        ...

    def coeffs(self, clip: Clip) -> Float[np.ndarray, "frames 58"]:
        """Face coefficients (clip.frames, 58) float32, raw (mean face included)."""
        ...

    def emotion(self, clip: Clip) -> Float[np.ndarray, "frames 25"]:
        """Emotion channels (clip.frames, 25) float32, in the order of `face.EMOTIONS`."""
        ...

    def recorded_emotion(self, clip: Clip) -> Float[np.ndarray, "rows 25"]:
        """The same at the release's own rate, all there are of the clip."""
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

    def traits(self, clip: Clip) -> Float[np.ndarray, "5"] | None:
        """The Big Five of the clip's person, (5,) float32, 0 to 1, in the order of
        `mars.personality.BIG_FIVE`; None where the data set says nothing of them."""
        ...

    def mean_face(self) -> Float[np.ndarray, "58"]:
        """What is subtracted from raw coefficients, (58,) float32."""
        ...

    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """Row k has a 1 where dyad j's listener also suits dyad k; of n dyads, mirrored or not."""
        ...

    def left_out(self, split: str) -> int:
        """How many pairs of a split are not here, though they were where this was made of."""
        ...

    def fingerprint(self) -> str:
        """16 hex digits that tell data sets apart by their content, wherever they lie.

        A root and a cache of it have different ones, since their sound differs slightly.
        """
        ...


def holds(data: Conversations, split: str, modality: str) -> bool:
    """Whether a data set has such files at all: a cache has, but of a root somebody may have
    downloaded a part."""
    return not isinstance(data, Recordings) or data.modality_folder(split, modality).is_dir()


def open_conversations(path: str | Path) -> Conversations:
    """The data set at `path`: a cache where it holds `cache.json`, else a root in the layout that
    its folders show.

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
    return open_recordings(path)


def open_recordings(path: Path) -> Recordings:
    """The root at `path`: of MARS where its folders are there, else of REACT2024. Copies of MARS
    may hold lists too, which do not describe it. Nothing is read yet."""
    return Mars(path) if is_mars(path) else React2024(path)
