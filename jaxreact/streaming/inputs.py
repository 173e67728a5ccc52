"""What a stream was fed, until there is enough of it for a step."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact.errors import ArgumentError
from jaxreact.face import COEFFS, EMOTION_CHANNELS, FPS
from jaxreact.media.sound import SAMPLE_RATE, SAMPLES_PER_FRAME
from jaxreact.streaming.rows import Rows
from jaxreact.streaming.sound import Sound
from jaxreact.systems.system import OnlineSystem, Speaker

LONGEST_HOLE = 60.0
"""Seconds by which a stamp may be ahead of everything before it: what is more is no time of the
same stream."""

CHANNELS = {"coeffs": COEFFS, "emotion": EMOTION_CHANNELS}
"""What a stream can be fed row by row."""


@dataclass(frozen=True)
class Bridged:
    """What was done so far to what a stream was fed."""

    interpolated: int
    """Frames in short holes, interpolated."""
    held: int
    """Frames in long holes, or that did not come in time, in which the last face was held."""
    late: int
    """Rows left out that came after a later one."""
    silent: float
    """Seconds without sound, taken for silence."""
    left_out: float
    """Seconds of sound that came again, or from before the beginning."""
    stretched: float
    """Seconds that were put in (negative: taken out) for a sound card whose clock differs."""


def check_needs(system: OnlineSystem) -> None:
    """Raises ArgumentError for a system that needs what no stream can be fed."""
    if unknown := system.needs - {"audio", *CHANNELS}:
        named = ", ".join(sorted(unknown))
        raise ArgumentError(f"{system.name} needs the speaker's {named}, which no stream carries")


class Inputs:
    """What one stream was fed."""

    def __init__(self, system: OnlineSystem, max_gap: float, patience: float | None) -> None:
        """`max_gap` and `patience` as `ReactionStream` takes them."""
        self.step = system.step
        self._rows = {
            name: Rows(CHANNELS[name], max_gap) for name in CHANNELS if name in system.needs
        }
        # A face that nobody has seen yet looks like the average one.
        face = system.calibrate(np.zeros((1, COEFFS), np.float32))[0]
        self._unseen = {"coeffs": face, "emotion": np.zeros(EMOTION_CHANNELS, np.float32)}
        self._sound = Sound() if "audio" in system.needs else None
        self._patience = None if patience is None else max(round(patience * FPS), 0)
        self._origin: float | None = None
        self._end = dict.fromkeys(("audio", *CHANNELS), 0.0)
        self._given = 0
        self._frames: int | None = None  # of the whole stream, once it has ended
        self._bridged: Bridged | None = None  # then

    @property
    def origin(self) -> float:
        """The caller's time of the stream's frame 0 (s)."""
        return self._origin or 0.0

    @property
    def reached(self) -> int:
        """Frames of the speaker's face that are known so far."""
        return min(rows.ready for rows in self._rows.values())

    @property
    def heard(self) -> int:
        """Frames of sound that are known so far; as many as of the face for a system without."""
        return self.reached if self._sound is None else self._sound.ready // SAMPLES_PER_FRAME

    @property
    def bridged(self) -> Bridged:
        """What was done so far; that the last step goes on to its end is nothing that was done."""
        if self._bridged is not None:
            return self._bridged
        sound = self._sound or Sound()
        seconds = (sound.silent, sound.left_out, sound.stretched)
        counts = [
            sum(getattr(rows, name) for rows in self._rows.values())
            for name in ("bridged", "held", "late")
        ]
        return Bridged(*counts, *(count / SAMPLE_RATE for count in seconds))

    def feed(
        self,
        audio: Float[np.ndarray, "samples"] | None,
        rows: dict[str, Float[np.ndarray, "rows channels"]],
        time: float | Float[np.ndarray, "rows"] | None,
        audio_time: float | None,
    ) -> None:
        """As `ReactionStream.feed`; nothing is taken where it raises ValueError."""
        if self._frames is not None:
            raise ValueError("this stream has ended")
        rows = {name: each for name, each in rows.items() if name in self._rows and len(each)}
        audio = None if self._sound is None or audio is None or not len(audio) else audio
        if audio_time is None and time is not None and np.size(time):
            audio_time = float(np.ravel(time)[0])
        times = {name: self._times(name, len(each), time) for name, each in rows.items()}
        firsts = [float(each.min()) for each in times.values()]
        firsts += [] if audio is None or audio_time is None else [audio_time]
        origin = min(firsts, default=0.0) if self._origin is None else self._origin
        for name, each in rows.items():
            _check_rows(name, each)
            self._check_times(name, times[name] - origin)
        if audio is not None:
            _check_sound(audio)
            if audio_time is not None:
                self._check_times("audio", np.array([audio_time - origin]))
        if not rows and audio is None:
            return
        self._origin = origin
        for name, each in rows.items():
            self._rows[name].feed(times[name] - origin, each)
            self._end[name] = max(self._end[name], float(times[name].max()) - origin + 1 / FPS)
        if audio is not None and self._sound is not None:
            self._sound.feed(audio, None if audio_time is None else audio_time - origin)
            self._end["audio"] = self._sound.ready / SAMPLE_RATE

    def finish(self) -> None:
        """Nothing more comes: the clip is as long as its face, and silent where sound lacks."""
        if self._frames is None:
            self._frames = self.reached
            if self._sound is not None:
                self._sound.hold(self._frames * SAMPLES_PER_FRAME)
            self._bridged = self.bridged

    @property
    def frames(self) -> int | None:
        """How many the speaker has; None before the end."""
        return self._frames

    def is_due(self) -> bool:
        """Whether there is enough for the next step; what is too late is held from now on."""
        if self._frames is not None:
            return self._given < self._frames
        if self._patience is not None:
            self._hold(max(self.heard, *(rows.ready for rows in self._rows.values())))
        return min(self.reached, self.heard) >= self._given + self.step

    def take(self) -> Speaker:
        """What the next step is given; it must be due. After the end the last face goes on, in
        silence."""
        self._given += self.step
        if self._frames is not None:
            self._hold(self._given)
        parts = {name: rows.take(self.step)[None] for name, rows in self._rows.items()}
        if self._sound is not None:
            parts["waveform"] = self._sound.take(self.step * SAMPLES_PER_FRAME)[None]
        return Speaker(**parts)

    def _hold(self, frames: int) -> None:
        """Goes on without what is missing of so many frames, less those that are waited for."""
        known = frames - (0 if self._frames is not None else self._patience or 0)
        for name, rows in self._rows.items():
            rows.hold(known, self._unseen[name])
        if self._sound is not None:
            self._sound.hold(known * SAMPLES_PER_FRAME)

    def _times(self, name: str, count: int, time: Any) -> Float[np.ndarray, "rows"]:
        """The caller's time of each row."""
        if time is None:
            return self.origin + self._end[name] + np.arange(count) / FPS
        given = np.asarray(time, np.float64)
        if given.ndim == 0:
            return given + np.arange(count) / FPS
        if given.shape != (count,):
            raise ValueError(f"time {given.shape} for {count} rows of {name}; one each, or one")
        return given

    def _check_times(self, name: str, times: Float[np.ndarray, "any"]) -> None:
        """Raises ValueError for times that are none of this stream."""
        latest = max(self._end.values())
        gaps = np.diff(np.sort(np.append(times[~(times < latest)], latest)))
        if not np.isfinite(times).all() or (gaps > LONGEST_HOLE).any():
            raise ValueError(
                f"{name} at {times.max():.2f} s of a stream that has come to {latest:.2f} s; its"
                f" holes are at most {LONGEST_HOLE:g} s"
            )


def _check_rows(name: str, rows: np.ndarray) -> None:
    """Raises ValueError for what is no rows."""
    if rows.ndim != 2 or rows.shape[1] != CHANNELS[name]:
        raise ValueError(f"{name} {rows.shape}, expected rows of {CHANNELS[name]}")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} are not all finite")


def _check_sound(audio: np.ndarray) -> None:
    """Raises ValueError for what is no sound in [-1, 1]."""
    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(f"audio {audio.shape} of {audio.dtype}, expected (n,) of floats")
    if not np.isfinite(audio).all():
        raise ValueError("audio is not all finite")
