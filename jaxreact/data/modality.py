"""What a system asks of a conversation: whose face, emotion, sound or pictures, and of when.

modalities = (
    Modality("speaker", "coeffs"),  # batch["speaker_coeffs"]
    Modality("listener", "waveform", before=96, frames=256),  # batch["listener_waveform"]
    Modality("speaker", "video", size=(64, 64)),  # batch["speaker_video"]
    Modality("listener", "traits"),  # batch["listener_traits"]
    Modality("listener", "codes", known=codes),  # batch["listener_codes"]
)
dyads = data.dyads("train", modalities)
batches = training_batches(data, dyads, mean_face, modalities=modalities, frames=288, ...)
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Shaped

from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, FILES, VIDEO, Clip

Role = Literal["speaker", "listener"]
Kind = Literal["coeffs", "emotion", "waveform", "features", "video", "traits", "codes"]

_FILE: dict[str, str | None] = {
    "coeffs": COEFFS,
    "emotion": EMOTION,
    "waveform": AUDIO,
    "features": AUDIO,
    "video": VIDEO,
    "traits": None,
    "codes": COEFFS,
}
"""Which of a clip's files a kind is read from; None: of what is known of its person."""


@dataclass(frozen=True)
class Modality:
    """One array of an item; it covers the crop, or a part of it, and `before` frames before it.

    coeffs    (n, 58) float32, mean-subtracted where a mean face is given, else raw
    emotion   (n, 25) float32
    waveform  (n * 640,) float32, 16 kHz mono, silent where the file ends early
    features  whatever `function` makes of that waveform, or what `known` has
    video     (n, *size, 3) uint8 RGB, the last picture repeated where the recording ends early;
              quick from a folder of frames, while a film is decoded from its beginning every time
    traits    (5,) float32, the person's Big Five, 0 to 1; NaN where nobody knows them
    codes     (n,) int32, what `known` has

    What is known has been computed of the clip's file beforehand. Neither it nor features of whole
    clips go on beyond the crop.
    n = `before` + `frames` frames (25 a second), `frames` by default those of the crop. Raises
    ValueError where the fields contradict each other.
    """

    role: Role
    kind: Kind
    before: int = 0
    """Frames of context before the crop. No crop begins so early that a clip lacks them."""
    frames: int | None = None
    """Frames from the beginning of the crop on. Sound and pictures may go on beyond its end."""
    function: Callable[[Float[np.ndarray, "samples"]], Shaped[np.ndarray, "..."]] | None = None
    """Of features: what computes them. With worker processes it has to be picklable."""
    per_frame: int | None = None
    """Steps that this function gives a frame, where no step depends on how far sound reaches beyond
    it. It is then given the sound of whole clips, each once as far as memory goes, and what it
    gives is cropped."""
    known: Callable[[Clip, int, int], Shaped[np.ndarray, "..."]] | None = None
    """Of codes or features: what knows those of a clip's stretch, by its first frame and its
    frames. With worker processes it has to be picklable."""
    size: tuple[int, int] | None = None
    """Of video: height and width that pictures are resized to."""
    name: str = ""
    """The array's key, by default `<role>_<kind>`, so that a kind can be asked for twice."""

    def __post_init__(self) -> None:
        if self.role not in get_args(Role) or self.kind not in _FILE:
            raise ValueError(f"no such modality: {self.role} {self.kind}")
        frames = 1 if self.frames is None else self.frames
        if self.before < 0 or frames < 0 or self.before + frames < 1:
            raise ValueError(f"{self.key}: {self.frames} frames and {self.before} before them")
        made = (self.function is not None, self.known is not None)
        if self.kind == "features" and sum(made) != 1:
            raise ValueError(f"{self.key}: features need either a function or what knows them")
        if self.kind == "codes" and made != (False, True):
            raise ValueError(f"{self.key}: codes need what knows them, and no function")
        if self.per_frame is not None and (self.function is None or self.per_frame < 1):
            raise ValueError(f"{self.key}: {self.per_frame} steps a frame, of no function")
        if self.kind not in ("features", "codes") and any(made):
            raise ValueError(f"{self.key}: neither made by a function nor known")
        if (self.kind == "video") != (self.size is not None):
            raise ValueError(f"{self.key}: video, and nothing else, needs a size")
        if self.kind == "traits" and (self.before or self.frames is not None):
            raise ValueError(f"{self.key}: a person's, of no frames")

    @property
    def key(self) -> str:
        """Under which name the array stands in an item."""
        return self.name or f"{self.role}_{self.kind}"

    @property
    def file(self) -> str | None:
        """Which of a clip's files it is read from, as `layout` calls them; None: of none."""
        return _FILE[self.kind]


def longest_context(modalities: Iterable[Modality]) -> int:
    """Frames that the longest of the contexts before a crop takes."""
    return max((modality.before for modality in modalities), default=0)


def check_modalities(modalities: Sequence[Modality], frames: int) -> None:
    """Raises ValueError for two arrays of one name, and for a table that goes on beyond a crop."""
    keys = [modality.key for modality in modalities]
    if len(set(keys)) < len(keys):
        raise ValueError(f"modalities of the same name: {', '.join(sorted(keys))}")
    for modality in modalities:
        cut = modality.known is not None or modality.per_frame is not None
        if (cut or modality.kind in ("coeffs", "emotion")) and (modality.frames or 0) > frames:
            raise ValueError(f"{modality.key}: {modality.frames} frames of a crop of {frames}")


def files_by_role(modalities: Iterable[str | Modality]) -> dict[str, set[str]]:
    """Role -> the files that are needed of whoever plays it.

    A name of a file alone asks for it of both; of sound the speaker's only, as the original does.
    Raises ValueError for any other name.
    """
    files: dict[str, set[str]] = {role: set() for role in get_args(Role)}
    for modality in modalities:
        if isinstance(modality, Modality):
            if modality.file is not None:
                files[modality.role].add(modality.file)
            continue
        if modality not in FILES:
            raise ValueError(f"unknown modalities {modality!r}; choose from {FILES}")
        for role in ("speaker",) if modality == AUDIO else get_args(Role):
            files[role].add(modality)
    return files
