"""A split of a data set, as those see it who predict, score or show it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import MODALITIES, Clip, Dyad
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError


@dataclass(frozen=True)
class Split:
    """The ordered pairs of a data set's split, and what is in them, read when it is asked for.

    Rows of everything are in the order of `dyads`. What can be read is what the dyads were opened
    with. Every method raises `UserError`, naming the file, for what is missing or damaged.
    """

    data: Conversations
    name: str
    dyads: list[Dyad]

    @property
    def clips(self) -> tuple[str, ...]:
        """The speakers' clip names, which tell the rows of predictions apart."""
        return clip_names(self.dyads)

    @property
    def conversations(self) -> list[str]:
        """Every clip's conversation: what belongs together where clips are drawn again."""
        return conversations(self.clips)

    @property
    def shortest(self) -> Dyad:
        """The dyad that has the fewest frames."""
        return min(self.dyads, key=lambda dyad: dyad.frames)

    def common_frames(self, most: int, multiple: int = 1) -> int:
        """Frames that every clip has, at most `most`, cut to a multiple of so many.

        Raises `UserError` where none are left.
        """
        frames = min(most, self.shortest.frames) // multiple * multiple
        if frames < 1:
            raise UserError(
                f"the clips of {self.name} have no common stretch of {multiple} frames; "
                f"{self.shortest.speaker.name} has {self.shortest.frames}"
            )
        return frames

    def neighbours(self) -> Float[np.ndarray, "clips clips"]:
        """Row k has a 1 where dyad j's listener also suits dyad k; read once."""
        return self._neighbours

    @cached_property
    def _neighbours(self) -> np.ndarray:
        return self.data.neighbours(self.name, len(self.dyads))

    def emotions(
        self, frames: int
    ) -> tuple[Float[np.ndarray, "clips frames 25"], Float[np.ndarray, "clips frames 25"]]:
        """What listeners and speakers really showed, from the first frame on: (listener, speaker).

        Mirrored dyads share their clips, each of which is read once.
        """
        return self._of_both(self.data.emotion, frames)

    def faces(
        self, frames: int
    ) -> tuple[Float[np.ndarray, "clips frames 58"], Float[np.ndarray, "clips frames 58"]]:
        """Raw coefficients of listeners and speakers, from the first frame on, as `emotions`."""
        return self._of_both(self.data.coeffs, frames)

    def _of_both(
        self, read: Callable[[Clip], np.ndarray], frames: int
    ) -> tuple[np.ndarray, np.ndarray]:
        people = dict.fromkeys(
            clip for dyad in self.dyads for clip in (dyad.listener, dyad.speaker)
        )
        rows = tqdm(people, f"reading {self.name}", unit="clip", delay=2, disable=None)
        shown = {clip: read(clip)[:frames] for clip in rows}
        listener = np.stack([shown[dyad.listener] for dyad in self.dyads])
        return listener, np.stack([shown[dyad.speaker] for dyad in self.dyads])

    def coeffs(self, clip: int, frames: int | None = None) -> dict[str, Float[np.ndarray, "_ 58"]]:
        """Raw coefficients of a clip's "speaker" and "listener", the first `frames` of them."""
        dyad = self.dyads[clip]
        people = {"speaker": dyad.speaker, "listener": dyad.listener}
        return {role: self.data.coeffs(person)[:frames] for role, person in people.items()}


def open_split(
    path: str | Path, name: str, modalities: Iterable[str | Modality] = MODALITIES
) -> Split:
    """The split `name` of the root or cache at `path`, with what `modalities` ask for.

    Raises `UserError` for what is no data set, an empty split, and missing or damaged files.
    """
    data = open_conversations(path)
    return Split(data, name, data.dyads(name, modalities))


def clip_names(dyads: Iterable[Dyad]) -> tuple[str, ...]:
    """The speakers' clip names, which tell the rows of predictions apart."""
    return tuple(dyad.speaker.name for dyad in dyads)


def conversations(clips: Sequence[str]) -> list[str]:
    """The conversation of every clip `<site>/<chat>/<person>/<clip>`: `<site>/<chat>`."""
    return [name.rsplit("/", 2)[0] for name in clips]
