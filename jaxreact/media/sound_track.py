"""The sound of a film (or of an m4a and the like), where its pictures are."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.media.alignment import Block, on_the_clock
from jaxreact.media.channels import Strength, remark_on_cancelling
from jaxreact.media.container import film_stream, open_container, sound_stream, undecodable
from jaxreact.media.decoding import Decoding

_BEFORE = 1.0  # seconds that are decoded before a start: stamps and drifting samples differ by less

_STORED = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""FFmpeg's names of sample formats."""


def read_sound_track(
    path: Path, start: float, duration: float | None
) -> tuple[Float[np.ndarray, "samples"], int]:
    """A segment of the track that a player plays, mono, and its samples a second.

    Times are in seconds since the beginning of the film; a track that begins later is preceded by
    zeros. Raises `UserError` for no film, one without sound that can be decoded, a start beyond the
    end, and where more than a tenth of what is asked for is lost.
    """
    until = math.inf if duration is None else start + duration
    strength = Strength()
    blocks = list(_blocks(path, start, until, strength, None))
    if (channel := strength.loudest_of_cancelling()) is not None:
        remark_on_cancelling(path, channel)
        blocks = list(_blocks(path, start, until, strength, channel))
    if not blocks:
        raise UserError(f"{path}: the sound track is empty")
    rate = blocks[0].rate
    begin = int(start * rate)
    end = None if duration is None else begin + int(duration * rate)
    waveform = on_the_clock(path, blocks, rate, begin, end)
    if not len(waveform):
        length = sum(block.count / block.rate for block in blocks)
        raise UserError(f"{path}: cannot start at {start:g} s, the sound is {length:.2f} s long")
    return waveform, rate


def _blocks(
    path: Path, start: float, until: float, strength: Strength, channel: int | None
) -> Iterator[Block]:
    """The track's frames with their times; samples only of those that end after `start`.

    One `channel`, or, for None, the mean of all.
    """
    with open_container(path) as container:
        stream = sound_stream(container)
        if stream is None:
            raise _no_sound(path, container.streams.audio)
        picture = film_stream(container)
        others = [] if picture is None else [picture]
        decoding = Decoding(path, container, stream, others, "sound")
        end, lost = 0.0, 0
        for frame, time in decoding.frames(until):
            if frame.sample_rate <= 0 or not frame.samples:
                continue
            begin = end if time is None else time
            end = begin + frame.samples / frame.sample_rate
            if end < start - _BEFORE:
                mono = np.zeros(0, np.float32)
            else:
                channels = as_float(frame)
                strength.look(channels)
                mono = channels.mean(axis=0, dtype=np.float32)
                if channel is not None and channel < len(channels):
                    mono = channels[channel]
            is_after_loss, lost = decoding.damage.lost > lost, decoding.damage.lost
            yield Block(time, frame.samples, frame.sample_rate, mono, is_after_loss)


def as_float(frame: av.AudioFrame) -> Float[np.ndarray, "channels samples"]:
    """A frame's samples in [-1, 1] float32, whatever they are stored as."""
    kind, channels = np.dtype(_STORED[frame.format.packed.name]), frame.layout.nb_channels
    # PyAV's own arrays of frames with more than eight planes run over the end of the list of them.
    planes: list[Any] = list(frame.planes[:channels])
    if frame.format.is_planar:
        stored = np.stack([np.frombuffer(plane, kind, frame.samples) for plane in planes])
    else:
        stored = np.frombuffer(planes[0], kind, frame.samples * channels)
        stored = stored.reshape(-1, channels).T
    if kind == np.uint8:
        return (stored.astype(np.float32) - 128) / 128
    if kind.kind == "i":
        return (stored / np.float64(2 ** (8 * kind.itemsize - 1))).astype(np.float32)
    return stored.astype(np.float32)


def _no_sound(path: Path, tracks: tuple[av.AudioStream, ...]) -> UserError:
    if not tracks:
        return UserError(f"{path}: has no sound track")
    names = undecodable(path, tracks)
    return UserError(f"{path}: no decoder for its sound ({names}); convert it to AAC first")
