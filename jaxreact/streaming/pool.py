"""Many streams through one system: those that are due advance in one batch."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxreact.errors import ArgumentError
from jaxreact.media.sound import SAMPLES_PER_FRAME
from jaxreact.streaming.inputs import CHANNELS, Bridged, Inputs, check_needs
from jaxreact.streaming.outputs import Outputs, Reaction
from jaxreact.systems.system import OnlineSystem, Reactions, Speaker

_GROWTH = 4
"""How much larger each size of batches is than the one below."""


class PooledStream:
    """One stream of a pool, from `StreamPool.open`."""

    def __init__(
        self, pool: "StreamPool", place: int, inputs: Inputs, outputs: Outputs, smoothing: int
    ) -> None:
        self.place, self.smoothing = place, smoothing
        self._pool, self._inputs, self._outputs = pool, inputs, outputs
        self._before = pool.system.lead // pool.system.step

    def feed(
        self,
        *,
        audio: Float[np.ndarray, "samples"] | None = None,
        coeffs: Float[np.ndarray, "rows 58"] | None = None,
        emotion: Float[np.ndarray, "rows 25"] | None = None,
        time: float | Float[np.ndarray, "rows"] | None = None,
        audio_time: float | None = None,
    ) -> None:
        """As `ReactionStream.feed`, which says what is what; reactions are to be taken."""
        given = {"coeffs": coeffs, "emotion": emotion}
        rows = {name: np.asarray(each) for name, each in given.items() if each is not None}
        sound = None if audio is None else np.asarray(audio)
        self._inputs.feed(sound, rows, time, audio_time)

    def finish(self) -> None:
        """Nothing more comes."""
        self._inputs.finish()

    def take(self) -> list[Reaction]:
        """What is due of what the pool has made since the last time."""
        inputs, end = self._inputs, self._inputs.frames
        if self._pool.ahead:
            until = self._outputs.made
        else:
            until = inputs.reached if end is not None else inputs.reached - self.smoothing
        return self._outputs.take(until, inputs.origin, end)

    def close(self) -> None:
        """Frees the stream's place for another."""
        self._pool.close(self)

    @property
    def bridged(self) -> Bridged:
        """What was done so far to what the stream was fed."""
        return self._inputs.bridged

    @property
    def is_due(self) -> bool:
        """Whether the stream has enough for a step."""
        if self._before:
            return True
        if self._inputs.frames is not None:
            return self._outputs.made < self._inputs.frames
        return self._inputs.is_due()

    def given(self) -> Speaker:
        """What the next step is given; the stream must be due."""
        if not self._before:
            return self._inputs.take()
        self._before -= 1
        return nothing(self._pool.system)

    def made(self, coeffs: np.ndarray | None, emotion: np.ndarray) -> None:
        """What the step has made, (samples, step, channels)."""
        self._outputs.add(coeffs, emotion)


class StreamPool:
    """Up to `capacity` streams of one system, which begin and end as they like.

        pool = StreamPool(system, capacity=32)
        stream = pool.open(key=key)
        stream.feed(audio=chunk, coeffs=rows, time=t)
        while pool.advance(): ...
        reactions = stream.take()

    Streams do not know of each other: what one answers does not depend on who is beside it. A
    program is compiled for each of a few sizes of batches, when it is first needed or by `warm_up`,
    and for no stream that begins or ends. Not for several threads at once.
    """

    def __init__(
        self,
        system: OnlineSystem,
        capacity: int = 32,
        num_samples: int = 1,
        *,
        max_gap: float = 0.5,
        patience: float | None = None,
        smoothing: int = 0,
        ahead: bool = False,
        **options: Any,
    ) -> None:
        """Arguments as those of `ReactionStream`, for all streams. Raises ArgumentError for what
        cannot be, and for several streams of a system that advances them at one time only."""
        if not isinstance(system, OnlineSystem):
            raise ArgumentError(f"{system.name} does not answer before a clip has ended: no stream")
        check_needs(system)
        if capacity > 1 and not system.mixes:
            raise ArgumentError(f"{system.name} takes one stream at a time; give a capacity of 1")
        for name, value, least in (
            ("capacity", capacity, 1),
            ("num_samples", num_samples, 1),
            ("smoothing", smoothing, 0),
            ("max_gap", max_gap, 0),
            ("patience", patience or 0, 0),
        ):
            if not value >= least:
                raise ArgumentError(f"{name} {value} is less than {least}")
        self.system, self.capacity, self.num_samples = system, capacity, num_samples
        self.smoothing, self.ahead = smoothing, ahead
        self._max_gap, self._patience, self._options = max_gap, patience, options
        self._state: Any = None
        self._streams: dict[int, PooledStream] = {}
        self._sizes = [capacity]
        while self._sizes[0] > 1:
            self._sizes.insert(0, max(self._sizes[0] // _GROWTH, 1))

    def __len__(self) -> int:
        """How many streams there are."""
        return len(self._streams)

    def open(
        self, *, key: jax.Array | None = None, smoothing: int | None = None, **options: Any
    ) -> PooledStream:
        """A new stream; `options` as `react` of the system takes them, and `smoothing`, in place of
        the pool's.

        Raises ArgumentError where there is no place left, for a `smoothing` below 0, and for
        options that would have to be the same for all streams.
        """
        smoothing = self.smoothing if smoothing is None else smoothing
        if smoothing < 0:
            raise ArgumentError(f"smoothing {smoothing} is less than 0")
        if len(self._streams) == self.capacity:
            raise ArgumentError(f"all {self.capacity} places are taken; close a stream first")
        place = next(n for n in range(self.capacity) if n not in self._streams)
        inputs = Inputs(self.system, self._max_gap, self._patience)
        first = self.system.start(1, self.num_samples, key=key, **{**self._options, **options})
        if self.capacity == 1:
            self._state = first
        elif self._state is None:
            self._state = jax.tree.map(lambda x: jnp.repeat(x, self.capacity, axis=0), first)
        elif jax.tree.structure(first) != jax.tree.structure(self._state):
            raise ArgumentError(f"{', '.join(options)}: the same for all streams of a pool")
        else:
            self._state = _with_rows(self._state, first, np.array([place]))
        self._streams[place] = PooledStream(self, place, inputs, Outputs(smoothing), smoothing)
        return self._streams[place]

    def close(self, stream: PooledStream) -> None:
        """Frees a stream's place."""
        if self._streams.get(stream.place) is stream:
            del self._streams[stream.place]

    def advance(self) -> int:
        """One step of each stream that has enough for one, in one batch; how many these were."""
        due = [stream for stream in self._streams.values() if stream.is_due]
        if due:
            places = [stream.place for stream in due]
            reactions = self._advance(places, [stream.given() for stream in due])
            emotion = np.asarray(reactions.emotion)
            coeffs = None if reactions.coeffs is None else np.asarray(reactions.coeffs)
            for row, stream in enumerate(due):
                stream.made(None if coeffs is None else coeffs[row], emotion[row])
        return len(due)

    def warm_up(self, key: jax.Array | None = None) -> None:
        """Compiles what streams will need; of a pool without streams."""
        stream = self.open(key=jax.random.key(0) if key is None else key)
        for size in self._sizes:
            self._advance([stream.place], [nothing(self.system)], size)
        stream.close()

    def _advance(
        self, places: Sequence[int], given: Sequence[Speaker], least: int = 1
    ) -> Reactions:
        """The next step of the streams at these places. Batches are of few sizes: the first stream
        fills up what is left, and its state is put back where it was."""
        size = next(n for n in self._sizes if n >= max(len(places), least))
        rows = np.arange(size) * (np.arange(size) < len(places))
        speaker = Speaker(
            **{
                name: np.concatenate([getattr(given[row], name) for row in rows])
                for name in ("coeffs", "waveform", "emotion")
                if getattr(given[0], name) is not None
            }
        )
        if self.capacity == 1:
            self._state, reactions = self.system.advance(self._state, speaker)
            return reactions
        index = np.asarray(places)[rows]
        state, reactions = self.system.advance(_rows(self._state, index), speaker)
        self._state = _with_rows(self._state, state, index)
        return reactions


def nothing(system: OnlineSystem) -> Speaker:
    """A step of a speaker of whom nothing is known."""
    step, rows = system.step, system.needs & CHANNELS.keys()
    parts: dict[str, np.ndarray] = {
        name: np.zeros((1, step, CHANNELS[name]), np.float32) for name in rows
    }
    if "audio" in system.needs:
        parts["waveform"] = np.zeros((1, step * SAMPLES_PER_FRAME), np.float32)
    return Speaker(**parts)


@jax.jit
def _rows(state: Any, index: jax.Array) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], state)


@jax.jit
def _with_rows(state: Any, rows: Any, index: jax.Array) -> Any:
    return jax.tree.map(lambda leaf, new: leaf.at[index].set(new), state, rows)
