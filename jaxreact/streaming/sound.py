"""Sound that comes in pieces, by the clock of a sound card -> sound by the stream's clock.

A piece is where the ones before it end, unless its stamp says otherwise. What is off by much is a
hole, which is silent, or comes again, and is left out. What is off by little is jitter of stamps,
until it lasts: then the clocks differ, and sound is stretched a little, for as long as it takes.
"""

import numpy as np
from jaxtyping import Float

from jaxreact.media.sound import SAMPLE_RATE

JUMP = 0.2
"""Seconds by which a stamp must be off to be a hole or an overlap, and no jitter."""
DRIFT = 0.01
"""Seconds by which stamps must be off on the average for sound to be stretched: a quarter frame."""
_MEMORY = 1.0
"""Seconds of sound over which that average is taken."""
_STRETCH = 0.01
"""By what share sound is stretched at most: a sixth of a semitone."""


class Sound:
    """The sound of one stream, from its time 0 on."""

    def __init__(self) -> None:
        self.silent = 0
        """Samples in holes so far."""
        self.left_out = 0
        """Samples so far that came again, or from before the beginning."""
        self.stretched = 0
        """Samples that were put in so far (negative: taken out), for a clock that runs slow."""
        self._parts: list[np.ndarray] = []
        self._ready = 0
        self._has_begun = False
        self._off = 0.0  # seconds by which stamps are ahead of us, on the average
        self._is_correcting = False
        self._allowed = 0.0  # samples that may be put in or taken out by now
        self._before = np.zeros(2)

    @property
    def ready(self) -> int:
        """Samples of the stream that are known, taken ones included."""
        return self._ready

    def feed(self, samples: Float[np.ndarray, "samples"], time: float | None) -> None:
        """The next samples; `time` of the first of them in seconds of the stream's time."""
        if time is not None:
            samples = self._placed(samples, time)
        self._has_begun |= len(samples) > 0
        self._append(self._stretched(samples))

    def hold(self, samples: int) -> None:
        """Goes on in silence until so many samples are known."""
        if (missing := samples - self._ready) > 0:
            self.silent += missing
            self._append(np.zeros(missing))

    def take(self, count: int) -> Float[np.ndarray, "count"]:
        """The next samples; so many must be ready."""
        whole = np.concatenate(self._parts)
        self._parts = [whole[count:]]
        return whole[:count]

    def _placed(self, samples: np.ndarray, time: float) -> np.ndarray:
        """What of a piece comes next, after silence where there is a hole."""
        off = time - self._ready / SAMPLE_RATE
        if self._has_begun and abs(off) <= JUMP:
            share = min(len(samples) / SAMPLE_RATE / _MEMORY, 1.0)
            self._off += share * (off - self._off)
            return samples
        gap = round(off * SAMPLE_RATE)
        self._off = 0.0
        self.hold(self._ready + gap)
        self.left_out += min(max(-gap, 0), len(samples))
        return samples[max(-gap, 0) :]

    def _stretched(self, samples: np.ndarray) -> np.ndarray:
        """The samples, some more or fewer of them while the clocks differ."""
        owed = abs(self._off)
        self._is_correcting = owed > (DRIFT / 10 if self._is_correcting else DRIFT)
        if not self._is_correcting:
            self._allowed = 0.0
            return samples
        self._allowed += len(samples) * _STRETCH
        more = min(round(owed * SAMPLE_RATE), int(self._allowed))
        self._allowed -= more
        more = -more if self._off < 0 else more
        self._off -= more / SAMPLE_RATE
        self.stretched += more
        return _with_more(self._before, samples, more) if more else samples

    def _append(self, samples: np.ndarray) -> None:
        self._parts.append(samples.astype(np.float32))
        self._ready += len(samples)
        self._before = np.append(self._before, samples)[-2:]


def _with_more(
    before: Float[np.ndarray, "2"], samples: Float[np.ndarray, "samples"], more: int
) -> Float[np.ndarray, "longer"]:
    """So many samples more (negative: fewer) of the same course, between the last one before and
    the last of them: cubic interpolation (Catmull & Rom 1974)."""
    known = np.concatenate([before, samples, samples[-1:]]).astype(np.float64)
    count = len(samples) + more
    at = np.arange(1, count + 1) * (len(samples) / count) + 1  # in `known`
    low = np.minimum(np.floor(at).astype(int), len(samples))
    share = at - low
    a, b, c, d = (known[low + k] for k in (-1, 0, 1, 2))
    slope, other = (c - a) / 2, (d - b) / 2
    bend = 3 * (c - b) - 2 * slope - other
    twist = 2 * (b - c) + slope + other
    return b + share * (slope + share * (bend + share * twist))
