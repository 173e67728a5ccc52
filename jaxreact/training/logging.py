"""What a run tells: TensorBoard scalars and a progress bar, plain lines without a terminal."""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from jaxreact.errors import UserError
from jaxreact.training.monitor.speed import Speed

if TYPE_CHECKING:
    from jaxreact.training.monitor.event_writer import EventWriter

LINE_SECONDS = 10.0
"""Seconds between plain lines when stderr is no terminal; the first comes at once."""

CHECKED = {"loss": "loss", "norm/parameters": "norm of the parameters"}
"""Metrics of a step that must be finite, and what messages call them."""


class RunLog:
    """Scalars and pictures of a run, under `directory` for TensorBoard and on the terminal.

    Metrics of a step are read from the device only when the next step has been dispatched, so that
    logging never makes the device wait.

    - `config` is written as text; `total` is the number of updates of the whole training, `start`
      how many were made before (a resumed run). What an earlier, killed start logged after update
      `start` is forgotten.
    - `active`: whether this process writes and prints; true for one of several processes. Each of
      them checks that the loss is finite, so that all of them stop.
    - `frames_per_step`, `flops_per_step`, `peak_flops`: see `Speed`; all devices together.
    """

    def __init__(
        self,
        directory: str | Path,
        config: Any,
        total: int,
        start: int = 0,
        *,
        active: bool = True,
        frames_per_step: int | None = None,
        flops_per_step: float | None = None,
        peak_flops: float | None = None,
    ):
        self.speed = Speed(frames_per_step, flops_per_step, peak_flops)
        self.writer = _writer(directory, start) if active else None
        self.bar = tqdm(total=total, initial=start, unit=" step", disable=None if active else True)
        self.pending: tuple[int, dict[str, Any]] | None = None
        self.newest: tuple[int, Mapping[str, Any]] | None = None
        self.finite = start
        """The last update of which the loss is known to be finite."""
        self.last_line: float | None = None
        self.noted = False
        self._describe(config, start)

    def step(self, step: int, metrics: Mapping[str, Any], every: int) -> None:
        """Takes the metrics of update number `step` (counted from 1); writes every `every`-th.

        Raises UserError naming the interval when a loss, or the norm of the parameters, is not
        finite.
        """
        self.bar.update()
        if self.newest is not None and not self.speed.started:
            jax.block_until_ready(self.newest[1])
            self.speed.start(self.newest[0])
        self._settle()
        self.newest = (step, metrics)
        if step % every == 0 or step == self.bar.total:
            self.pending = (step, dict(metrics))

    def validation(self, step: int, metrics: Mapping[str, float], best: bool) -> None:
        """Takes the metrics of a validation after update number `step`; raises as `step` does."""
        self._settle()
        self._check_finite(metrics, step)
        self._write(step, metrics, "validation")
        mark = ", best so far" if best else ""
        self.say(f"step {step}: validation loss {metrics['loss']:.4f}{mark}")
        self.flush()

    def pictures(
        self, step: int, pictures: Mapping[str, UInt8[np.ndarray, "height width 3"]]
    ) -> None:
        """Takes RGB pictures by name, as of update number `step`."""
        if self.writer:
            for name, pixels in pictures.items():
                self.writer.picture(step, f"pictures/{name}", pixels)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Around validations, pictures and saves: their time does not count into the rates.

        Waits for the steps dispatched so far; raises as `step` does.
        """
        self._settle()
        if self.newest is not None:
            jax.block_until_ready(self.newest[1])
        with self.speed.pause():
            yield

    def flush(self) -> None:
        """Checks and writes what was given so far; to be called before a state is saved.

        A state saved after it is known to be good, also between two written steps, and what was
        logged before it is on disk. Raises as `step` does.
        """
        self._settle()
        if self.newest is not None and self.newest[0] > self.finite:
            step, metrics = self.newest
            self._check_finite({k: float(metrics[k]) for k in CHECKED if k in metrics}, step)
        if self.writer:
            self.writer.flush()

    def stopped(self, step: int, reason: str) -> None:
        """Notes that the run ends before its last update, after update number `step`, and why.

        An exception that leaves the `with` block is noted by itself, unless this was called before.
        """
        self._note_stop(step, reason)
        self.say(f"stopped after step {step} of {self.bar.total}: {reason}")

    def say(self, line: str) -> None:
        """Prints a line without breaking the progress bar."""
        if self.writer:
            tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        self.bar.close()
        if self.writer:
            self.writer.close()

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, _: object) -> None:
        try:
            if error is None:
                self._settle()
            else:
                step = self.newest[0] if self.newest else self.finite
                self._note_stop(step, str(error) or type(error).__name__)
        finally:
            self.close()

    def _note_stop(self, step: int, reason: str) -> None:
        """Writes why the run ends; the first reason counts."""
        if self.writer and not self.noted:
            self.writer.text(step, "stopped", json.dumps({"step": step, "reason": reason}))
        self.noted = True

    def _describe(self, config: Any, start: int) -> None:
        """Writes the configuration, and what the report needs to know of this start."""
        if not self.writer:
            return
        device = jax.devices()[0]
        facts = {
            "start": start,
            "total": self.bar.total,
            "device": f"{jax.device_count()} x {device.device_kind}",
            "processes": jax.process_count(),
            "frames_per_step": self.speed.frames_per_step,
            "flops_per_step": self.speed.flops_per_step,
            "peak_flops": self.speed.peak_flops,
            "jax": jax.__version__,
        }
        text = json.dumps(config, indent=1, default=str)
        self.writer.text(start, "config", f"```\n{text}\n```")
        self.writer.text(start, "started", json.dumps(facts))
        self.writer.flush()

    def _settle(self) -> None:
        """Reads, checks, writes and shows the metrics that wait for it."""
        if self.pending is None:
            return
        step, metrics = self.pending
        self.pending = None
        values = {name: float(value) for name, value in jax.device_get(metrics).items()}
        self._check_finite(values, step)
        rates = self.speed.rates(step)
        self._write(step, values | rates, "training")
        self.bar.set_postfix(loss=f"{values['loss']:.4f}")
        now = self.speed.clock()
        if self.bar.disable and (self.last_line is None or now - self.last_line >= LINE_SECONDS):
            self.say(self._line(step, values["loss"], rates))
            self.last_line = now

    def _line(self, step: int, loss: float, rates: Mapping[str, float]) -> str:
        parts = [f"step {step}/{self.bar.total}: loss {loss:.4f}"]
        if rates:
            parts.append(f"{rates['steps_per_second']:.2f} steps/s")
        if "frames_per_second" in rates:
            parts.append(f"{rates['frames_per_second']:.0f} frames/s")
        if "model_flop_utilisation_percent" in rates:
            parts.append(f"{rates['model_flop_utilisation_percent']:.1f} % of peak")
        left = self.speed.seconds_left(step, self.bar.total)
        if left is not None:
            parts.append(f"{tqdm.format_interval(left)} left")
        return ", ".join(parts)

    def _check_finite(self, metrics: Mapping[str, float], step: int) -> None:
        for name, called in CHECKED.items():
            value = metrics.get(name, 0.0)
            if not math.isfinite(value):
                raise UserError(
                    f"the {called} is {value} between steps {self.finite} and {step}; the last good"
                    " checkpoint is kept. Lower --loop.optimizer.learning-rate or check the data"
                )
        self.finite = step

    def _write(self, step: int, values: Mapping[str, float], prefix: str) -> None:
        if self.writer:
            self.writer.scalars(step, {f"{prefix}/{name}": x for name, x in values.items()})


def _writer(directory: str | Path, start: int) -> "EventWriter":
    """Events of a run. Imported here, since tensorboardX brings all of PyTorch where that is
    installed: 1.4 s and 260 MiB, for every command that only knows of a training."""
    from jaxreact.training.monitor.event_writer import EventWriter

    return EventWriter(directory, start)
