"""The listeners of all sessions, in one thread of their own: what is due advances in one batch."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.errors import ArgumentError
from jaxreact.streaming.outputs import Reaction
from jaxreact.streaming.pool import PooledStream, StreamPool
from jaxreact.systems.system import OnlineSystem

WAITING = 500
"""Pieces of what was sent that wait for one listener at most: more push out the oldest."""
PATIENCE = 0.5
"""Seconds by which what a stream lacks may be late, before it goes on without."""
STEPS_KEPT = 200
"""Steps whose time is remembered."""

Deliver = Callable[[Sequence[Reaction]], None]
"""Takes reactions, in the thread of the listeners; must not wait."""


class NoPlace(Exception):
    """All places are taken."""


@dataclass(frozen=True)
class Choices:
    """What a client may choose of its listener."""

    step: int
    """Frames that are answered at once; one of `Listeners.steps`."""
    seed: int = 0
    """Of the sample."""
    smoothing: int = 0
    """Frames before and after that each is averaged with."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the system's `react`, such as its temperature."""


class Listener:
    """One listener, for one session. Its methods may be called from any thread."""

    def __init__(self, choices: Choices, deliver: Deliver, wake: Callable[[], None]) -> None:
        self.choices = choices
        self.lost = 0
        """Pieces that were pushed out by later ones."""
        self.trouble: str | None = None
        """Why the stream ended before its end."""
        self.ended = False
        """Whether everything was answered, after `finish`."""
        self._deliver, self._wake = deliver, wake
        self._waiting: deque[dict[str, Any]] = deque()
        self._lock = threading.Lock()
        self._finish = False  # is wanted
        self._finished = False  # and the stream knows of it
        self._stream: PooledStream | None = None

    def give(self, **piece: Any) -> None:
        """What has come of the speaker, as `PooledStream.feed` takes it."""
        with self._lock:
            self._waiting.append(piece)
            if len(self._waiting) > WAITING:
                self._waiting.popleft()
                self.lost += 1
        self._wake()

    def finish(self) -> None:
        """Nothing more comes."""
        self._finish = True
        self._wake()

    @property
    def bridged(self) -> dict[str, float]:
        """What was done so far to what came late, early or not at all."""
        return {} if self._stream is None else asdict(self._stream.bridged)

    def _take(self) -> None:
        """Feeds what waits; in the thread of the listeners."""
        assert self._stream is not None
        finish = self._finish
        with self._lock:
            pieces, self._waiting = self._waiting, deque()
        try:
            for piece in pieces:
                self._stream.feed(**piece)
        except ValueError as error:
            self.trouble = str(error)
        if finish:
            self._stream.finish()
            self._finished = True

    def _hand_out(self) -> None:
        assert self._stream is not None
        if reactions := self._stream.take():
            self._deliver(reactions)
        if self._finished and not self._stream.is_due:
            self.ended = True


class Listeners:
    """Up to `capacity` listeners of one system, at any of a few steps.

    listeners = Listeners(system, steps=(8, 32), capacity=8)
    listeners.warm_up()
    listeners.start()
    listener = listeners.open(choices, deliver)
    listener.give(audio=chunk, coeffs=rows, time=t)
    listeners.close(listener)
    listeners.stop()
    """

    def __init__(self, system: OnlineSystem, steps: Sequence[int], capacity: int) -> None:
        """Raises ArgumentError for a step that the system cannot take."""
        self.system, self.steps = system, tuple(steps)
        self.capacity = capacity if system.mixes else 1
        self._pools = {
            step: StreamPool(
                system if step == system.step else system.in_steps(step),
                self.capacity,
                patience=PATIENCE,
                ahead=True,
            )
            for step in self.steps
        }
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="listeners", daemon=True)
        self._taken: deque[float] = deque(maxlen=STEPS_KEPT)
        self.advanced = 0
        """Steps of streams so far."""

    def start(self) -> None:
        """From now on what is given is answered."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping = True
        self._wanted.set()
        self._thread.join()

    def __len__(self) -> int:
        return len(self._listeners)

    def warm_up(self) -> None:
        """Compiles all that streams will need, by going once the whole way of one; before any is
        opened."""
        for pool in self._pools.values():
            pool.warm_up()

    def open(self, choices: Choices, deliver: Deliver) -> Listener:
        """A new listener. Raises NoPlace, and ArgumentError for what cannot be chosen."""
        if choices.step not in self._pools:
            steps = ", ".join(map(str, self.steps))
            raise ArgumentError(f"step {choices.step} is not one of {steps}")
        pool = self._pools[choices.step]
        listener = Listener(choices, deliver, self._wanted.set)
        with self._lock:
            if len(self._listeners) >= self.capacity:
                raise NoPlace(f"all {self.capacity} places are taken")
            listener._stream = pool.open(
                key=jax.random.key(choices.seed), smoothing=choices.smoothing, **choices.options
            )
            self._listeners.add(listener)
        return listener

    def close(self, listener: Listener) -> None:
        """Frees a listener's place."""
        with self._lock:
            self._listeners.discard(listener)
            if listener._stream is not None:
                listener._stream.close()

    @property
    def step_ms(self) -> Float[np.ndarray, "steps"]:
        """Milliseconds of the last batches of steps."""
        return 1e3 * np.array(self._taken)

    def _run(self) -> None:
        while not self._stopping:
            self._wanted.wait()
            self._wanted.clear()
            with self._lock:
                self._answer()

    def _answer(self) -> None:
        """Until nothing is due."""
        going = [each for each in self._listeners if each.trouble is None]
        for listener in going:
            listener._take()
        for pool in self._pools.values():
            while not self._stopping:
                began = time.perf_counter()
                advanced = pool.advance()
                if not advanced:
                    break
                self._taken.append(time.perf_counter() - began)
                self.advanced += advanced
        for listener in going:
            listener._hand_out()
