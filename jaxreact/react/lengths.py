"""How much of a clip is used, and what is said of the rest."""

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.media.sound import SAMPLE_RATE
from jaxreact.media.video_reader import length_by_header
from jaxreact.streaming.long_clip import can_stream
from jaxreact.systems.system import System
from jaxreact.tracking.track import Track

WHOLE = 600.0
"""Seconds of the longest clip that is answered as a whole, for which ten minutes need about 2 GiB
at the released size; longer ones are streams."""

MISSING = 0.5
"""Seconds by which sound and emotion may be shorter than the picture, and emotion longer; sound is
continued by silence."""

AS_A_STREAM = (
    f"is longer than {WHOLE:g} s and answered as a stream, which knows no future; shorter ones are"
    " with --causal"
)
"""What is said of a clip that is answered otherwise than shorter ones."""

_HEADER = 2.0
"""Seconds by which a header may be wrong about a length."""


def seconds_at_once(seconds: float) -> float:
    """How much sound is read at once of `seconds` that are asked for."""
    return min(seconds, WHOLE)


def beginning(seconds: float, heard: int) -> str:
    """What tells that something is said of the sound's beginning, of which `heard` samples are
    known; nothing where this is all that is asked for."""
    return f"its first {WHOLE:g} s: " if seconds > WHOLE <= heard / SAMPLE_RATE else ""


def seconds_to_track(
    video: Path, system: System, seconds: float, heard: int, says_length: bool = True
) -> float:
    """How much of a video is to be tracked, of which `seconds` are asked for.

    `heard`: samples of 16 kHz sound in its first `WHOLE` seconds. Where these end early no more of
    the pictures is of use. `says_length`: whether it has a header; tables have none. Raises
    `UserError` for a system that answers whole clips only, and a video that is longer by its
    header.
    """
    if seconds <= WHOLE or heard / SAMPLE_RATE < WHOLE - MISSING:
        return min(seconds, WHOLE)
    if can_stream(system):
        return seconds
    shown = (length_by_header(video) if says_length else None) or 0.0
    if shown > WHOLE + _HEADER:
        raise _too_long(video, system, f"{min(shown, seconds):.0f} s are too long")
    return WHOLE


def is_long(until: float, frames: int) -> bool:
    """Whether a clip is answered as a stream, of which `frames` until `until` (s) were tracked."""
    return until > WHOLE and frames > WHOLE * FPS


def used(track: Track) -> str:
    """How much of a video is used, which is not all."""
    of = f" of {track.source_seconds:.1f} s" if track.source_seconds else ""
    return f"the first {len(track.coeffs) / FPS:.1f} s{of} are used (--seconds)"


def check_tracked(video: Path, system: System, seconds: float, until: float, track: Track) -> None:
    """Raises `UserError` where a video of which only the first `until` of `seconds` were tracked
    goes on, though its header did not say so, and its system answers whole clips only."""
    if track.stopped and until < seconds and not can_stream(system):
        raise _too_long(video, system, "too long")


def _too_long(video: Path, system: System, what: str) -> UserError:
    return UserError(
        f"{video}: {what}; {system.name} answers whole clips, of at most {WHOLE:g} s: --seconds"
        f" {WHOLE:g} takes the beginning"
    )


def check_emotion(
    table: Path, emotion: Float[np.ndarray, "frames 25"], video: Path, track: Track
) -> None:
    """Raises `UserError` for a table that is not of this video at 25 frames a second."""
    given, shown = len(emotion) / FPS, len(track.coeffs) / FPS
    if shown - given > MISSING or (given - shown > MISSING and not track.stopped):
        raise UserError(
            f"{table}: {len(emotion)} frames are {given:.2f} s at {FPS} a second, and"
            f" {video} has {shown:.2f} s; give the emotion of this video at that rate"
        )


def usable_frames(seen: Path, heard: Path, track_frames: int, samples: int, block: int) -> int:
    """How many frames of a clip can be used: whole blocks for which there is sound.

    It is `seen` and `heard` in these files, which may be one. `samples` are those of the 16 kHz
    sound; up to `MISSING` seconds may lack at the end.
    Raises `UserError` when not even one block is left, or much of the sound is missing.
    """
    needed = block / FPS
    sounds, shown = samples / SAMPLE_RATE, track_frames / FPS
    frames = track_frames // block * block
    if not frames:
        raise UserError(f"{seen}: {shown:.2f} s are too short; at least {needed:.2f} s needed")
    if shown - sounds > MISSING:
        picture = "the picture" if seen == heard else str(seen)
        ends = f"{heard}: the sound ends {shown - sounds:.1f} s before {picture}"
        if sounds < needed:
            raise UserError(
                f"{ends}, after {sounds:.2f} s; at least {needed:.2f} s needed: give one that lasts"
                " to the end"
            )
        until = math.floor(sounds * 100) / 100  # rounded up it would be refused again
        raise UserError(f"{ends}; end there too (--seconds {until:.2f})")
    return frames


def generating(samples: int, frames: int, tracked: int, block: int) -> str:
    """One line about what is made, of how many frames, and which are left out."""
    line = f"generating {samples} x {frames / FPS:.2f} s"
    if frames < tracked:
        line += f"; the last {(tracked - frames) / FPS:.2f} s fill no block of {block} frames"
    return line
