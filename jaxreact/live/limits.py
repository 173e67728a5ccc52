"""How much one session may send."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Of each session; what goes beyond is refused with a reason."""

    messages: float = 150.0
    """A second; a page sends some 55."""
    megabytes: float = 1.0
    """A second; sound takes 0.064, tracked pictures 0.01, pictures up to 0.5."""
    burst: float = 5.0
    """Seconds' worth that may come at once."""
    minutes: float = 60.0
    """Of a session."""


class Meter:
    """Whether one session keeps to its limits."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._rates = (limits.messages, 1e6 * limits.megabytes)
        self._left = [rate * limits.burst for rate in self._rates]
        self._last = self.began = clock()

    def exceeds(self, size: int) -> bool:
        """Whether a message of so many bytes, which comes now, is more than may come."""
        now = self._clock()
        passed, self._last = now - self._last, now
        for index, (rate, cost) in enumerate(zip(self._rates, (1, size), strict=True)):
            most = rate * self._limits.burst
            self._left[index] = min(self._left[index] + rate * passed, most) - cost
        return min(self._left) < 0

    @property
    def seconds_left(self) -> float:
        """Of the session."""
        return 60 * self._limits.minutes - (self._clock() - self.began)
