"""TensorBoard's event files, written without TensorFlow and without threads."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import (
    Event,  # pyright: ignore[reportAttributeAccessIssue]
    SessionLog,  # pyright: ignore[reportAttributeAccessIssue]
)
from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboardX.record_writer import directory_check

FLUSH_SECONDS = 30.0
"""How late TensorBoard may see what was written."""


class EventWriter:
    """The event file of one start of a run.

    Writes at once, where tensorboardX's `SummaryWriter` hands over to a process's queue whose end a
    flush does not wait for: here, what was written before `flush` outlives a killed process.

    A run that goes on at update `start` repeats updates that an earlier start may have logged
    before it was killed. The file begins with the mark by which TensorBoard, and
    `jaxreact.training.monitor.record`, forget what earlier files say of updates after `start`.
    """

    def __init__(self, directory: str | Path, start: int = 0):
        directory_check(str(directory))
        # The start in the name keeps two files of the same second apart.
        self._file = EventsWriter(f"{directory}/events", f".{start:09d}")
        self._flushed = time.time()
        self._write(Event(step=start + 1, session_log=SessionLog(status=SessionLog.START)))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes values by tag as of update `step`; stored in float32."""
        entries = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._write(Event(step=step, summary=Summary(value=entries)))

    def text(self, step: int, tag: str, text: str) -> None:
        self._write(Event(step=step, summary=summary.text(tag, text)))

    def picture(self, step: int, tag: str, pixels: UInt8[np.ndarray, "height width 3"]) -> None:
        """Writes an RGB picture, as PNG."""
        self._write(Event(step=step, summary=summary.image(tag, pixels, dataformats="HWC")))

    def flush(self) -> None:
        """Returns when all that was written is on disk."""
        self._file.flush()
        self._flushed = time.time()

    def close(self) -> None:
        self._file.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._file.write_event(event)
        if event.wall_time - self._flushed > FLUSH_SECONDS:
            self.flush()
