"""Reactions of one stream until they are due."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.face import FPS
from jaxreact.streaming.smoothing import weights


@dataclass(frozen=True, eq=False)
class Reaction:
    """A listener's face at one moment; of several samples, with an axis for these in front."""

    time: float
    """Seconds, by the clock of what the stream was fed."""
    coeffs: Float[np.ndarray, "*samples 58"] | None
    """Raw; None where the system gives emotion alone."""
    emotion: Float[np.ndarray, "*samples 25"]


class Outputs:
    """Frames that were made, in the order in which they are given out."""

    def __init__(self, smoothing: int) -> None:
        """Frames are averaged with `smoothing` ones before and after them."""
        self.made = 0
        """How many frames there are so far."""
        self.given = 0
        """How many were given out."""
        self._weights = weights(smoothing) if smoothing else None
        self._smoothing = smoothing
        self._frames: list[tuple[np.ndarray, ...]] = []
        self._first = 0  # number of the first of them that is kept

    def add(
        self,
        coeffs: Float[np.ndarray, "samples time 58"] | None,
        emotion: Float[np.ndarray, "samples time 25"],
    ) -> None:
        """The next frames."""
        parts = (emotion,) if coeffs is None else (emotion, coeffs)
        for number in range(emotion.shape[1]):
            self._frames.append(tuple(part[:, number] for part in parts))
        self.made += emotion.shape[1]

    def take(self, until: int, origin: float, end: int | None) -> list[Reaction]:
        """Frames before number `until` that were not given out yet, as far as they can be: until
        the stream's `end` is known, so many must be there after each as smoothing sees. `origin` is
        the time of frame 0."""
        last = self.made - 1 if end is None else min(end, self.made) - 1
        seen = self._smoothing if end is None else 0
        taken = []
        while self.given < min(until, last + 1 - seen):
            emotion, *coeffs = self._smoothed(self.given, last)
            time = origin + self.given / FPS
            taken.append(Reaction(time, _alone(coeffs[0]) if coeffs else None, _alone(emotion)))
            self.given += 1
        begin = max(self.given - self._smoothing, self._first)
        self._frames, self._first = self._frames[begin - self._first :], begin
        return taken

    def _smoothed(self, number: int, last: int) -> list[np.ndarray]:
        """A frame's parts, averaged with those around it."""
        if self._weights is None:
            return list(self._frames[number - self._first])
        around = range(number - self._smoothing, number + self._smoothing + 1)
        frames = [self._frames[min(max(k, 0), last) - self._first] for k in around]
        return [
            np.tensordot(self._weights, np.stack(part), 1) for part in zip(*frames, strict=True)
        ]


def _alone(samples: np.ndarray) -> np.ndarray:
    """Without the axis of samples where there is one."""
    return samples[0] if len(samples) == 1 else samples
