"""A clip of any length as a stream: of its sound a second is held at a time, its rows are there."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.face import FPS
from jaxreact.media.sound import SAMPLE_RATE
from jaxreact.media.sound_pieces import in_lengths
from jaxreact.streaming.inputs import CHANNELS
from jaxreact.streaming.outputs import Reaction
from jaxreact.streaming.stream import ReactionStream
from jaxreact.systems.system import OnlineSystem, System


def can_stream(system: System) -> TypeGuard[OnlineSystem]:
    """Whether a system answers while a clip still lasts, by what a stream can be fed."""
    return isinstance(system, OnlineSystem) and system.needs <= {"audio", *CHANNELS}


def answers(
    system: OnlineSystem,
    rows: Mapping[str, Float[np.ndarray, "frames channels"]],
    sound: Iterator[Float[np.ndarray, "samples"]],
    num_samples: int = 1,
    *,
    key: jax.Array | None = None,
    **options: Any,
) -> Iterator[Reaction]:
    """Yields a reaction to each frame of a clip: what `react(..., causal=True)` gives of the whole.

    `rows`: `coeffs`, raw, and `emotion`, as far as the system needs them, 25 a second; they say how
    long the clip is. `sound`: its sound at 16 kHz, in parts of any size, of which no more is held
    than a second; what lacks at its end is silent, and what is more is not looked at. Other
    arguments, and errors, are those of `ReactionStream`; and what `sound` raises.
    """
    stream = ReactionStream(system, num_samples, key=key, **options)
    seconds = in_lengths(sound, SAMPLE_RATE) if "audio" in system.needs else iter(())
    for begin in range(0, len(next(iter(rows.values()))), FPS):
        some: dict[str, Any] = {name: each[begin : begin + FPS] for name, each in rows.items()}
        yield from stream.feed(audio=next(seconds, None), **some)
    yield from stream.finish()
