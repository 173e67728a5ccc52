"""The sound of a film (or of an m4a and the like), where its pictures are."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.errors import UserError
from jaxreact.media.alignment import (
    SLACK,
    Block,
    in_pieces,
    length_of,
    on_the_clock,
    placements_of,
)
from jaxreact.media.channels import Strength, remark_on_cancelling
from jaxreact.media.container import film_stream, open_container, sound_stream, undecodable
from jaxreact.media.decoding import Decoding

_BEFORE = 1.0  # seconds that are decoded before a start: stamps and drifting samples differ by less

_SECONDS = "{desc}: {n:.0f}{unit} looked through [{elapsed}]"

WITHOUT_CLOCK = {"aac", "ac3", "eac3", "loas", "mp3"}
"""Formats that hold frames and nothing else: FFmpeg counts their time by the rate of the first."""


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


class SoundTrack:
    """The track that a player plays, mono, read as often as it is needed and never held.

    It is looked through once in the beginning, since where samples belong is known only when all
    stamps are: of an hour some 20 MB are kept of that. What it gives is what `read_sound_track`
    gives from the film's beginning on.
    """

    def __init__(self, path: Path, duration: float | None) -> None:
        """`duration` as of `read_sound_track`, and so are errors."""
        self._path, self._until = path, math.inf if duration is None else duration
        strength, nothing = Strength(), np.zeros(0, np.float32)
        stamps: list[Block] = []
        with tqdm(desc="sound", unit=" s", delay=2, disable=None, bar_format=_SECONDS) as bar:
            for block in _blocks(path, 0.0, self._until, strength, None):
                stamps.append(replace(block, samples=nothing))
                bar.update(block.count / block.rate)
        if not stamps:
            raise UserError(f"{path}: the sound track is empty")
        self._channel = strength.loudest_of_cancelling()
        if self._channel is not None:
            remark_on_cancelling(path, self._channel)
        self.rate = stamps[0].rate
        """Samples a second."""
        self._end = None if duration is None else int(duration * self.rate)
        self._placements = placements_of(stamps)
        length = length_of(self._placements, stamps, self.rate)
        self.seconds = (length if self._end is None else min(length, self._end)) / self.rate
        """How long it is."""

    def pieces(self) -> Iterator[Float[np.ndarray, "samples"]]:
        """All of its samples, a little at a time. Raises `UserError` as `read_sound_track`."""
        blocks = _blocks(self._path, 0.0, self._until, Strength(), self._channel)
        return in_pieces(self._path, self._placements, blocks, self.rate, 0, self._end)


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
        to_float, end, lost = ToFloat(), 0.0, 0
        for frame, time in decoding.frames(until + SLACK):
            if frame.sample_rate <= 0 or not frame.samples:
                continue
            if container.format.name in WITHOUT_CLOCK:
                time = None
            begin = end if time is None else time
            end = begin + frame.samples / frame.sample_rate
            if end < start - _BEFORE:
                mono = np.zeros(0, np.float32)
            else:
                channels = to_float(frame)
                strength.look(channels)
                mono = channels.mean(axis=0, dtype=np.float32)
                if channel is not None and channel < len(channels):
                    mono = channels[channel]
            is_after_loss, lost = decoding.damage.lost > lost, decoding.damage.lost
            yield Block(begin, frame.samples, frame.sample_rate, mono, is_after_loss)


class ToFloat:
    """Frames' samples as float32, whatever they are stored as, which may change on the way."""

    def __init__(self) -> None:
        self._stored: tuple[str, str, int] | None = None
        self._converter = av.AudioResampler(format="flt")

    def __call__(self, frame: av.AudioFrame) -> Float[np.ndarray, "channels samples"]:
        """A frame's samples in [-1, 1]."""
        stored = frame.format.name, frame.layout.name, frame.sample_rate
        if stored != self._stored:
            self._stored = stored
            self._converter = av.AudioResampler(format="flt")  # of the sample format only
        # Channels take turns in it: of more than eight that each lie by themselves PyAV's arrays
        # run over the end of a list (18), or cannot be had (19).
        channels, parts = frame.layout.nb_channels, []
        for part in self._converter.resample(frame):
            plane: Any = part.planes[0]
            parts.append(np.frombuffer(plane, np.float32, part.samples * channels))
        return np.concatenate(parts).reshape(-1, channels).T


def _no_sound(path: Path, tracks: tuple[av.AudioStream, ...]) -> UserError:
    if not tracks:
        return UserError(f"{path}: has no sound track")
    names = undecodable(path, tracks)
    return UserError(f"{path}: no decoder for its sound ({names}); convert it to AAC first")
