"""Being asked to stop: SIGTERM, which schedulers send some time before they kill."""

import signal
from types import FrameType

import jax
from jax.experimental import multihost_utils


class Preemption:
    """Notes a SIGTERM while it is entered, so that the loop can end after a whole step.

    Of several processes any may get the signal, and all must stop after the same step: there JAX's
    coordination service notes it and agrees on the step, for which every process has to ask after
    each one.
    """

    def __init__(self) -> None:
        self._noted = False
        self._together = jax.process_count() > 1

    def __enter__(self) -> "Preemption":
        if not self._together:
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._together:
            signal.signal(signal.SIGTERM, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = True

    def comes_after(self, step: int) -> bool:
        """Whether to stop after update number `step`; all processes get the same answer."""
        if self._together:
            return multihost_utils.reached_preemption_sync_point(step)
        return self._noted
