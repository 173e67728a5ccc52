"""What a run tells: TensorBoard scalars and a progress bar, plain lines without a terminal."""

import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm

from jaxreact.errors import UserError

LINE_SECONDS = 10.0
"""Seconds between plain lines when stderr is no terminal."""


class RunLog:
    """Scalars of a run, under `directory` for TensorBoard and on the terminal.

    Metrics of a step are read from the device only when the next step has been dispatched, so that
    logging never makes the device wait.
    """

    def __init__(self, directory: str | Path, config: Any, total: int, start: int = 0):
        self.writer = SummaryWriter(str(directory))
        self.writer.add_text("config", f"```\n{json.dumps(config, indent=1, default=str)}\n```")
        self.bar = tqdm(total=total, initial=start, unit="step", disable=None)
        self.pending: tuple[int, dict[str, Any]] | None = None
        self.last_line = self.last_time = time.monotonic()
        self.last_step = start
        self.losses: list[float] = []

    def step(self, step: int, metrics: Mapping[str, Any], every: int) -> None:
        """Takes the metrics of update number `step` (counted from 1); writes every `every`-th.

        Raises UserError naming the interval when a loss is not finite.
        """
        self.bar.update()
        self._flush()
        if step % every == 0 or step == self.bar.total:
            self.pending = (step, dict(metrics))

    def validation(self, step: int, metrics: Mapping[str, float], best: bool) -> None:
        """Takes the metrics of a validation after update number `step`; raises as `step` does."""
        self._flush()
        self._check_finite(metrics["loss"], step)
        self._write(step, metrics, "validation")
        mark = ", best so far" if best else ""
        self.say(f"step {step}: validation loss {metrics['loss']:.4f}{mark}")

    def say(self, line: str) -> None:
        """Prints a line without breaking the progress bar."""
        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        self.bar.close()
        self.writer.close()

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        if self.pending is None:
            return
        step, metrics = self.pending
        self.pending = None
        values = {name: float(value) for name, value in jax.device_get(metrics).items()}
        self._check_finite(values["loss"], step)
        now = time.monotonic()
        rate = (step - self.last_step) / max(now - self.last_time, 1e-9)
        self._write(step, values | {"steps_per_second": rate}, "training")
        self.bar.set_postfix(loss=f"{values['loss']:.4f}")
        if self.bar.disable and now - self.last_line > LINE_SECONDS:
            left = (self.bar.total - step) / rate
            self.say(
                f"step {step}/{self.bar.total}: loss {values['loss']:.4f},"
                f" {rate:.2f} steps/s, {left:.0f} s left"
            )
            self.last_line = now
        self.last_step, self.last_time = step, now

    def _check_finite(self, loss: float, step: int) -> None:
        if not math.isfinite(loss):
            raise UserError(
                f"the loss is {loss} between steps {self.last_step} and {step}; the last good"
                " checkpoint is kept. Lower --loop.optimizer.learning-rate or check the data"
            )

    def _write(self, step: int, values: Mapping[str, float], prefix: str) -> None:
        for name, value in values.items():
            self.writer.add_scalar(f"{prefix}/{name}", np.float32(value), step)
