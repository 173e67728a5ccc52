"""Stretches of reactions on their way to the clips that they are of."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from jaxreact.data.frame_rate import coeffs_at, emotion_at
from jaxreact.evaluation.partial_results import PartialResults
from jaxreact.evaluation.stretches import Stretch
from jaxreact.face import FPS


class Joined:
    """Takes reactions by stretches, in order, and hands over clips.

    `frames` are the clips' at 25 a second; what is handed over has the lengths of `parts`, at
    `rate` frames a second where these are whole clips.
    """

    def __init__(self, parts: PartialResults, frames: Sequence[int], rate: float) -> None:
        self._parts, self._frames = parts, frames
        self._rate = rate if parts.whole else FPS
        self._begun: list[tuple[np.ndarray, np.ndarray]] = []

    def add(
        self,
        some: Sequence[Stretch],
        emotion: Float[np.ndarray, "batch samples frames 25"],
        coeffs: Float[np.ndarray, "batch samples frames 58"],
    ) -> int:
        """Keeps what the stretches answer; how many clips are complete by it. What is behind the
        last of `some` fills a batch up, and is left out."""
        if not self._parts.whole:
            rows = slice(len(some))
            self._parts.add([each.clip for each in some], emotion[rows], coeffs[rows])
            return len(some)
        return sum(self._add(each, emotion[row], coeffs[row]) for row, each in enumerate(some))

    def _add(self, stretch: Stretch, emotion: np.ndarray, coeffs: np.ndarray) -> bool:
        self._begun.append((emotion[:, stretch.kept], coeffs[:, stretch.kept]))
        if stretch.begin + stretch.frames < self._frames[stretch.clip]:
            return False
        emotion, coeffs = (
            np.concatenate(parts, axis=1) for parts in zip(*self._begun, strict=True)
        )
        self._begun = []
        rows = self._parts.lengths[stretch.clip]
        self._parts.add(
            [stretch.clip],
            emotion_at(emotion, FPS, self._rate, rows)[None],
            coeffs_at(coeffs, FPS, self._rate, rows)[None],
        )
        return True
