"""A trace of a few steps of a long run, as `jax.profiler` writes it."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import jax

from jaxreact.errors import UserError

WARM_UP, TRACED = 2, 5
"""Steps before the trace, which compile, and steps in it."""


class Profile:
    """Traces steps `WARM_UP + 1` to `WARM_UP + TRACED` of `steps`, or the last of fewer.

        with profile:
            for step in ...:
                with profile.step(step):
                    result = work()
                profile.after(step, result)

    Steps are counted from 1. Without a folder nothing is done. Raises UserError where the folder
    cannot be made.
    """

    def __init__(self, folder: Path | None, steps: int, name: str):
        self._folder, self._name = folder, name
        self._first = min(WARM_UP + 1, max(steps, 1))
        self._last = min(WARM_UP + TRACED, max(steps, 1))
        self._open = False
        if folder is not None:
            _make(folder)

    def step(self, number: int) -> AbstractContextManager[Any]:
        """Around what the step does; the trace shows it by its number."""
        if self._folder is None or not self._first <= number <= self._last:
            return nullcontext()
        if number == self._first:
            jax.profiler.start_trace(self._folder)
            self._open = True
        return jax.profiler.StepTraceAnnotation(self._name, step_num=number)

    def after(self, number: int, result: Any) -> None:
        """After each step: waits for the `result` of the last that is traced, and says where."""
        if self._open and number == self._last:
            jax.block_until_ready(result)
            self.close()
            print(f"{self._folder}: steps {self._first} to {self._last} are traced")

    def close(self) -> None:
        """Ends a trace that has begun; what it has is written."""
        if self._open:
            self._open = False
            jax.profiler.stop_trace()

    def __enter__(self) -> "Profile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--profile {folder}: cannot be made ({error.strerror})") from None
