"""What the sections about single clips ask of an evaluation, whatever its clips' lengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float

from jaxreact.evaluation.report.clip_table import ClipTable
from jaxreact.evaluation.report.scores import Scored


@dataclass(frozen=True)
class Emotions:
    """The emotion channels of one clip, from its begin; persons may end at different times."""

    recorded: Mapping[str, Float[np.ndarray, "_ 25"]]
    """Of "speaker" and "listener"."""
    samples: Float[np.ndarray, "samples frames 25"]
    """Of the reactions."""


@dataclass(frozen=True)
class Shown:
    """What is seen in one clip, from its begin."""

    rate: float
    """Frames a second of everything here."""
    emotion: Emotions
    coeffs: Mapping[str, Float[np.ndarray, "_ 58"]]
    """Of the recorded "speaker" and "listener", raw; nothing where the data set is not at hand."""
    faces: Float[np.ndarray, "samples frames 58"] | None
    """Raw coefficients of the reactions, where there are any."""


class ClipByClip(Scored, Protocol):
    """An evaluation whose clips can be looked at one by one."""

    @property
    def out(self) -> Path:
        """Its directory."""
        ...

    @property
    def clips(self) -> Sequence[str]:
        """Names of the clips."""
        ...

    @property
    def table(self) -> ClipTable | None:
        """Scores of single clips, where they are known."""
        ...

    @property
    def videos(self) -> Mapping[int, Path]:
        """Clip -> its video, for those that have one."""
        ...

    def emotion(self, clip: int) -> Emotions:
        """The emotion channels of a clip."""
        ...

    def shown(self, clip: int) -> Shown:
        """What is seen in a clip."""
        ...
