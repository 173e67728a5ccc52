"""Films and sound files opened for reading: one guard, and the streams that a player chooses."""

import mmap
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream

from jaxreact.errors import UserError

PLAYLISTS = {"concat", "dash", "hls", "imf", "rtsp", "sdp"}
"""Formats that only name other files, possibly of other machines."""

_SAMPLE_FORMAT = rb"stsd.{12}([\x20-\x7e]{4})"
"""The box that says what an mp4's track holds: version, count and size before the name."""

_TAGS: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__ < "19" else {}
"""Tags are in any encoding; from PyAV 19 on this is the only way."""

StreamT = TypeVar("StreamT", bound=Stream)


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """Opens a film or sound file. `UserError` for one that is missing, empty, or neither of these.

    What the block does with the container is guarded by `decoding`.
    """
    if not os.path.isfile(path):  # unlike Path.is_file it takes names that no file can have
        raise UserError(f"{path}: no such file; give the path of a film or sound file")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty; record or copy it again")
    try:
        # A relative name with a colon would be taken for a protocol's, and a list of films could
        # name one of another machine.
        container = av.open(os.path.abspath(path), options={"protocol_whitelist": "file"}, **_TAGS)
    except (FFmpegError, ValueError, MemoryError) as error:
        raise UserError(
            f"{path}: cannot be read as film or sound, or is damaged ({reason(error)})"
        ) from None
    with container:
        if set(container.format.name.split(",")) & PLAYLISTS:
            raise UserError(f"{path}: is a list of films; give one of those that it names")
        yield container


def reason(error: BaseException) -> str:
    """Why FFmpeg could not do something, in one line without its number."""
    if isinstance(error, FFmpegError):
        return (error.strerror or "unknown to FFmpeg").lower()
    return (str(error) or type(error).__name__).splitlines()[0]


def film_stream(container: InputContainer) -> av.VideoStream | None:
    """The pictures that a player shows: no cover or still where there is a film, decodable ones.

    None where there are none.
    """
    playable = [s for s in container.streams.video if s.codec_context is not None]
    films = [s for s in playable if not s.disposition & Disposition.attached_pic]
    return _chosen(container.streams.best("video"), films or playable)


def sound_stream(container: InputContainer) -> av.AudioStream | None:
    """The sound that a player plays: of the tracks that can be decoded the default one.

    None where there are none.
    """
    playable = [s for s in container.streams.audio if s.codec_context is not None]
    return _chosen(container.streams.best("audio"), playable)


def _chosen(best: Any, playable: Sequence[StreamT]) -> StreamT | None:
    """FFmpeg's choice where it is playable, otherwise the first default one, or the first."""
    for stream in playable:
        if best is not None and stream.index == best.index:
            return stream
    defaults = [s for s in playable if s.disposition & Disposition.default]
    return next(iter([*defaults, *playable]), None)


def undecodable(path: Path, streams: Sequence[Stream]) -> str:
    """What the streams are encoded in, for a message: an mp4's or mov's codes of four letters."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = [m[1].decode("latin-1") for m in re.finditer(_SAMPLE_FORMAT, data, re.DOTALL)]
    names = [found[s.index].strip() for s in streams if s.index < len(found)]
    return ", ".join(sorted(set(names))) or "a codec unknown to FFmpeg"
