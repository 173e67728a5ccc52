"""One listener that reacts while the speaker still speaks."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.errors import ArgumentError
from jaxreact.streaming.inputs import Bridged
from jaxreact.streaming.outputs import Reaction
from jaxreact.streaming.pool import StreamPool
from jaxreact.systems.system import OnlineSystem


class ReactionStream:
    """A listener, or several samples of one, who reacts to one speaker.

        listener = ReactionStream(jaxreact.load("runs/my/framewise"), key=jax.random.key(0))
        for reaction in listener.feed(audio=chunk, coeffs=rows, time=t):
            show(reaction.time, reaction.coeffs)
        last = listener.finish()

    What it gives is what `system.react(speaker, causal=True)` gives for the whole clip, however
    the clip is cut. It needs no more memory for an hour than for a minute.
    """

    def __init__(
        self,
        system: OnlineSystem,
        num_samples: int = 1,
        *,
        key: jax.Array | None = None,
        causal: bool = True,
        max_gap: float = 0.5,
        patience: float | None = None,
        smoothing: int = 0,
        ahead: bool = False,
        **options: Any,
    ) -> None:
        """`key` and `options` are those of the system's `react`.

        Holes between rows of up to `max_gap` seconds are interpolated; through longer ones the last
        row is held. `patience`: what is so many seconds behind the rest of what is fed is waited
        for no longer, but held, or silent; None waits for ever. `smoothing`: each frame is averaged
        with so many before and after it, and comes so much later. `ahead`: reactions come as soon
        as they are made, also those to moments that the speaker has not reached (`system.lead`
        frames); then some more than the speaker has frames. Raises ArgumentError for what cannot
        be.
        """
        if not causal:
            raise ArgumentError("a stream knows no future: causal=False is for whole clips")
        given = {"max_gap": max_gap, "patience": patience, "smoothing": smoothing, "ahead": ahead}
        self._pool = StreamPool(system, 1, num_samples, **given, **options)
        self._stream = self._pool.open(key=key)

    def feed(
        self,
        *,
        audio: Float[np.ndarray, "samples"] | None = None,
        coeffs: Float[np.ndarray, "rows 58"] | None = None,
        emotion: Float[np.ndarray, "rows 25"] | None = None,
        time: float | Float[np.ndarray, "rows"] | None = None,
        audio_time: float | None = None,
    ) -> list[Reaction]:
        """Takes what has come of the speaker, and gives the reactions that are due by now.

        `audio`: 16 kHz, floats in about [-1, 1]. `coeffs`: raw. `emotion`: for systems that need
        it. Any number of samples and of rows, or none; what the system does not need is not looked
        at. `time` (s), of any clock: when the first of each of them is, 25 rows a second; or one
        for each row, at any rate, of which the first is also that of `audio`, unless `audio_time`
        says when that begins. Without, each goes on where it ended. The first time fed is the
        stream's beginning. Raises ValueError, and takes nothing, for numbers that are not finite,
        shapes that do not fit, times more than a minute ahead, and after `finish`.
        """
        self._stream.feed(
            audio=audio, coeffs=coeffs, emotion=emotion, time=time, audio_time=audio_time
        )
        return self._run()

    def finish(self) -> list[Reaction]:
        """The last reactions: nothing more comes."""
        self._stream.finish()
        return self._run()

    @property
    def bridged(self) -> Bridged:
        """What was done so far to what the stream was fed: holes, drift, what came late."""
        return self._stream.bridged

    def _run(self) -> list[Reaction]:
        while self._pool.advance():
            pass
        return self._stream.take()
