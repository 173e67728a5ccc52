"""Whole clips through systems that answer while the speaker still speaks."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxreact.errors import ArgumentError, UserError
from jaxreact.media.sound import SAMPLES_PER_FRAME
from jaxreact.systems.system import OnlineSystem, Reactions, Speaker, System


@dataclass(frozen=True)
class Online:
    """Whether a system answers as it would while the speaker still speaks."""

    causal: bool = False
    """Nothing is heard or seen before its time: the reactions are those of a stream."""
    step: int | None = None
    """With --causal: frames that are answered at once. Fewer react sooner, and cost more."""

    def prepared(self, system: System, name: str) -> System:
        """The system so; raises UserError, which calls it `name`, for one that cannot."""
        if self.step is not None and not self.causal:
            raise UserError("--step is for --causal, or leave it out")
        if not self.causal:
            return system
        if not isinstance(system, OnlineSystem) or "causal" not in system.options:
            raise UserError(f"{name} answers whole clips only; leave --causal out")
        try:
            return system if self.step is None else system.in_steps(self.step)
        except ArgumentError as error:
            raise UserError(f"{name}: {error} (--step)") from error

    @property
    def options(self) -> dict[str, bool]:
        """Of the system's `react`."""
        return {"causal": True} if self.causal else {}


def react_online(
    system: OnlineSystem,
    speaker: Speaker,
    num_samples: int = 10,
    *,
    key: jax.Array | None = None,
    **options: Any,
) -> Reactions:
    """What streams would answer to whole clips: the scan of `advance`.

    A last step that is not full sees the last frame go on in silence, and is cut; so is sound that
    is too short. Raises ValueError where something is not given that the system needs, and without
    frames.
    """
    frames = length(system, speaker)
    ahead, step = system.lead // system.step, system.step
    state = system.start(speaker.batch, num_samples, key=key, **options)
    made: list[Reactions] = []
    for number in range(-ahead, -(-frames // step) - ahead):
        state, reactions = system.advance(state, part(speaker, number * step, step))
        made.append(reactions)

    def whole(name: str) -> Any:
        # By NumPy: a program would be compiled for each number of steps there is.
        parts = [np.asarray(getattr(each, name)) for each in made]
        return jnp.asarray(np.concatenate(parts, axis=2)[:, :, :frames])

    coeffs = None if made[0].coeffs is None else whole("coeffs")
    return Reactions(coeffs, whole("emotion"))


def length(system: OnlineSystem, speaker: Speaker) -> int:
    """Frames of the speakers. Raises ValueError where there are none, or something lacks."""
    speaker.need(system)
    rows = next(x for x in (speaker.coeffs, speaker.emotion, speaker.video) if x is not None)
    if rows.shape[1] == 0:
        raise ValueError("no frames; a clip has 1 or more")
    return rows.shape[1]


def part(speaker: Speaker, begin: int, count: int) -> Speaker:
    """`count` frames of speakers from frame `begin` on. What is before their first or after their
    last frame looks like these, and is silent."""

    def frames_of(rows: Any) -> Any:
        if rows is None:
            return None
        numbers = np.clip(np.arange(begin, begin + count), 0, rows.shape[1] - 1)
        return rows[:, numbers]

    def sound_of(waveform: Any) -> Any:
        if waveform is None:
            return None
        first, last = max(begin, 0) * SAMPLES_PER_FRAME, max(begin + count, 0) * SAMPLES_PER_FRAME
        known = np.asarray(waveform[:, first:last], np.float32)
        front = min(max(-begin, 0), count) * SAMPLES_PER_FRAME
        back = count * SAMPLES_PER_FRAME - front - known.shape[1]
        return np.pad(known, ((0, 0), (front, back)))

    return Speaker(
        coeffs=frames_of(speaker.coeffs),
        waveform=sound_of(speaker.waveform),
        emotion=frames_of(speaker.emotion),
        video=frames_of(speaker.video),
    )


def check_step(system: OnlineSystem, speaker: Speaker) -> None:
    """Raises ValueError unless speakers have what a system needs for one step."""
    frames = length(system, speaker)
    heard = frames if speaker.waveform is None else speaker.waveform.shape[1] / SAMPLES_PER_FRAME
    if (frames, heard) != (system.step, system.step):
        sound = "" if speaker.waveform is None else f" and {speaker.waveform.shape[1]} samples"
        samples = "" if not sound else f" and {system.step * SAMPLES_PER_FRAME} samples"
        raise ValueError(f"{frames} frames{sound}; a step is {system.step} frames{samples}")


def check_only_step(system: OnlineSystem, frames: int) -> None:
    """Raises ArgumentError unless a system that has one step only is asked for that."""
    if frames != system.step:
        raise ArgumentError(f"a step of {frames} frames; {system.name} has {system.step} only")
