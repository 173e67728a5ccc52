"""What a score is. Each stands in a file of its own, and all that the program does with scores (the
tables, intervals, comparisons, the report) knows no more of it than this; `scores` lists them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from jaxreact.face import FPS
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.parts import Parts
from jaxreact.metrics.ragged.reactions import OfRagged

_ARROWS = {1: " ↑", -1: " ↓", 0: ""}


@dataclass(frozen=True)
class Reactions:
    """Reactions to N clips, and what they are scored against: checked, float32.

    `neighbours` holds for every clip the indices of the listeners that suit it; `mode` is one of
    `inputs.MODES`. `faces` are the same clips' coefficients, None where they are not known.
    `period` says after how many frames a border between blocks is looked for.
    """

    predicted: Float[np.ndarray, "clips samples frames 25"]
    listener: Float[np.ndarray, "clips frames 25"]
    speaker: Float[np.ndarray, "clips frames 25"]
    neighbours: list[np.ndarray]
    mode: str
    faces: Faces | None
    period: int


@dataclass(frozen=True)
class Score:
    """One number that says something of reactions."""

    name: str
    of_clips: Callable[[Reactions], Parts]
    """What each clip adds to it."""
    meaning: str
    """What it means and where better is, in a sentence or two; {samples} is how many there are."""
    better: Literal[1, -1, 0] = 0
    """Whether higher or lower is better. More variance or diversity is no merit in itself: noise
    has most of both, and a system is good where it has as much as people have."""
    of_people: bool = False
    """Whether recorded listeners, who react once to each speaker, have it as something to reach."""
    plain_mean: bool = True
    """Whether it is the mean of what the clips have, however many samples or pairs there are."""
    leaves_out: str = ""
    """What takes no part in it in mode `corrected`, in the plural."""
    counted_as: str = ""
    """Under which name the number of these stands among an evaluation's counts, if it does."""
    needs: Literal["emotion", "faces", "speech"] = "emotion"
    """What it is computed from: emotion, coefficients too, or also when the speaker speaks. Where
    that is not known there is no such score."""
    ragged: OfRagged | None = None
    """How it is had from clips of any lengths; None where it is not."""
    family: str = "challenge"
    """Which scores are tested together when two systems are compared: each family's p-values are
    corrected for its own number."""

    def can_be_had(self, faces: Faces | None) -> bool:
        """Whether what it needs is known."""
        if self.needs == "emotion":
            return True
        return faces is not None and (self.needs == "faces" or faces.speaking is not None)

    @property
    def label(self) -> str:
        """The name with the arrow that tells where better is, if anywhere."""
        return f"{self.name}{_ARROWS[self.better]}"

    def explained(self, samples: int, fps: int = FPS) -> str:
        """What it means, for so many samples a clip and frames a second."""
        return self.meaning.format(samples=samples, fps=fps, lag=2 * fps - 1)
