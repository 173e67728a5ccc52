"""What a data set's files are called here, and the clips and pairs that they are of."""

from dataclasses import dataclass
from pathlib import Path

from jaxreact.media.image import IMAGES

COEFFS, EMOTION, AUDIO, VIDEO = "coeffs", "emotion", "audio", "video"
FILES = (COEFFS, EMOTION, AUDIO, VIDEO)
MODALITIES = (COEFFS, EMOTION, AUDIO)
"""What every clip has in its files; which of them, and of whom, a system asks for by `Modality`.
Pictures may lack: they are looked for where somebody asks for them."""

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Release:
    """A published data set, as far as reading and scoring depend on which one it is."""

    name: str
    rate: float
    """Frames a second of its films and tables."""
    mirrors: bool
    """Whether both persons of a pair are scored as listeners of the other."""
    whole: bool
    """Whether clips are scored whole, each of its own length, at the release's own rate; else all
    of one length, 25 frames a second."""


REACT2024 = Release("REACT2024", 25.0, mirrors=True, whole=False)
MARS = Release("MARS", 30.0, mirrors=False, whole=True)
RELEASES = {release.name: release for release in (REACT2024, MARS)}


@dataclass(frozen=True)
class Clip:
    """One person's recording of one conversation; where it lies is the data set's business.

    `name`, unique within `split`, ends in `<person>/<clip>`, and what is before that tells
    conversations apart: `<site>/<chat>/<person>/<clip>` or `<session>/<role>/<clip>`. `modalities`
    is what was asked for and found; `frames` (25 a second) is what all of them have in common.
    Pictures do not count: where a recording ends early its last one stands; `frames` is 0 where
    nothing else is asked for.
    """

    split: str
    name: str
    modalities: tuple[str, ...]
    frames: int

    @property
    def measured(self) -> bool:
        """Whether it has a length."""
        return not set(self.modalities) <= {VIDEO}


@dataclass(frozen=True)
class Dyad:
    """One ordered pair: the speaker whom the model sees and hears, the listener it learns from."""

    speaker: Clip
    listener: Clip

    @property
    def frames(self) -> int:
        """Frames that both recordings have, or one of them if nothing is asked for of the other."""
        measured = [clip.frames for clip in (self.speaker, self.listener) if clip.measured]
        return min(measured, default=0)


def frame_files(folder: Path) -> list[Path]:
    """The pictures `<n>.png` or `<n>.jpg` of a frame folder by number, 10 after 9."""
    pictures = [
        path for path in folder.iterdir() if path.suffix.lower() in IMAGES and path.stem.isdecimal()
    ]
    return sorted(pictures, key=lambda path: int(path.stem))
