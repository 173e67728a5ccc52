"""How fast a training runs, and how long it still takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Speed:
    """Rates of the steps of a training, pauses left out.

    The clock starts when the first step has been computed, which is mostly the time to compile it.

    - `frames_per_step`: frames of coefficients (25 a second) that a step trains on, all devices
      together; None where that has no meaning.
    - `flops_per_step`: operations of a step, as `count_flops` counts them.
    - `peak_flops`: operations a second that all devices together could do; None if not known.
    - `clock`: seconds, ever growing.
    """

    def __init__(
        self,
        frames_per_step: int | None = None,
        flops_per_step: float | None = None,
        peak_flops: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.frames_per_step, self.flops_per_step = frames_per_step, flops_per_step
        self.peak_flops, self.clock = peak_flops, clock
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)
        self._paused = 0.0

    @property
    def started(self) -> bool:
        return self._first is not None

    def start(self, step: int) -> None:
        """Update `step` has just been computed, and counting begins."""
        self._first = self._last = (step, self.clock())
        self._paused = 0.0

    def rates(self, step: int) -> dict[str, float]:
        """Rates since the last call, or the start, at the moment when update `step` is computed.

        Empty where no step has been counted. Keys: steps_per_second, frames_per_second,
        teraflops_per_second, model_flop_utilisation_percent, as far as they are known.
        """
        steps = step - self._last[0]
        if not self.started or steps <= 0:
            return {}
        now = self.clock()
        rate = steps / max(now - self._last[1] - self._paused, 1e-9)
        self._last, self._paused = (step, now), 0.0
        rates = {"steps_per_second": rate}
        if self.frames_per_step:
            rates["frames_per_second"] = rate * self.frames_per_step
        if self.flops_per_step:
            rates["teraflops_per_second"] = rate * self.flops_per_step / 1e12
        if self.flops_per_step and self.peak_flops:
            used = rate * self.flops_per_step / self.peak_flops
            rates["model_flop_utilisation_percent"] = 100 * used
        return rates

    def seconds_left(self, step: int, total: int) -> float | None:
        """Time that updates after `step` up to `total` will take, pauses included.

        None until a step has been counted.
        """
        if self._first is None or step <= self._first[0]:
            return None
        each = (self.clock() - self._first[1]) / (step - self._first[0])
        return each * (total - step)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What happens inside is no training: it does not slow the rates."""
        began = self.clock()
        try:
            yield
        finally:
            self._paused += self.clock() - began
