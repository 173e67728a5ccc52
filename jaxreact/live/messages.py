"""What goes over the wire: binary messages of version 1, as docs/live.md lists them.

Little-endian: "jr", the version and the kind (a byte each), a count (uint32), a time (float64), and
what the kind says.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact.face import COEFFS, EMOTION_CHANNELS

VERSION = 1
PROTOCOL = f"jaxreact.{VERSION}"
"""The WebSocket's subprotocol."""
LARGEST = 256 * 1024
"""Bytes of a message at most: a picture, or four seconds of sound."""

MATRIX = 16
EXPRESSIONS = 52
REACTION = COEFFS + EMOTION_CHANNELS

_HEADER = struct.Struct("<2sBBId")
_MAGIC = b"jr"


class Kind(IntEnum):
    """Kinds of messages; below 16 to the server, from it else."""

    SOUND = 1
    FACES = 2
    TRACKED = 3
    PICTURE = 4
    END = 5
    HELLO = 16
    REACTIONS = 17
    STATUS = 18


class BadMessage(ValueError):
    """A message that is none; its text says why, in one line."""


@dataclass(frozen=True, eq=False)
class Message:
    """One message, taken apart."""

    kind: Kind
    time: float
    """Seconds, by the clock of the client."""
    times: Float[np.ndarray, "rows"] | None = None
    """Of each row."""
    rows: Float[np.ndarray, "rows channels"] | None = None
    sound: Float[np.ndarray, "samples"] | None = None
    data: bytes = b""
    """A picture, or JSON."""

    @property
    def json(self) -> Any:
        """What a HELLO or a STATUS says."""
        return json.loads(self.data)


def pack_sound(time: float, sound: Float[np.ndarray, "samples"]) -> bytes:
    """16 kHz, in [-1, 1]; `time` is that of the first sample."""
    return _packed(Kind.SOUND, len(sound), time, np.asarray(sound, "<f4").tobytes())


def pack_rows(
    kind: Kind, times: Float[np.ndarray, "rows"], rows: Float[np.ndarray, "rows channels"]
) -> bytes:
    """FACES: raw coefficients; TRACKED: MediaPipe's weights and matrices."""
    payload = np.asarray(times, "<f8").tobytes() + np.asarray(rows, "<f4").tobytes()
    return _packed(kind, len(rows), 0.0, payload)


def pack_picture(time: float, jpeg: bytes) -> bytes:
    """To be tracked by the server."""
    return _packed(Kind.PICTURE, len(jpeg), time, jpeg)


def pack_end() -> bytes:
    """Nothing more comes."""
    return _packed(Kind.END, 0, 0.0, b"")


def pack_reactions(time: float, rows: Float[np.ndarray, "rows 83"]) -> bytes:
    """The listener's frames, 40 ms apart: 58 raw coefficients and 25 emotion channels each."""
    return _packed(Kind.REACTIONS, len(rows), time, np.asarray(rows, "<f4").tobytes())


def pack_json(kind: Kind, content: Mapping[str, Any]) -> bytes:
    """HELLO or STATUS."""
    data = json.dumps(content, allow_nan=False).encode()
    return _packed(kind, len(data), 0.0, data)


def unpack(data: bytes) -> Message:
    """A message of any kind. Raises BadMessage for what is none of this version."""
    if len(data) < _HEADER.size:
        raise BadMessage(f"a message of {len(data)} bytes; its head alone has {_HEADER.size}")
    magic, version, number, count, time = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise BadMessage("this is no message of jaxreact's")
    if version != VERSION:
        raise BadMessage(f"a message of version {version}; this is {VERSION}")
    if number not in set(Kind):
        raise BadMessage(f"no kind of message has the number {number}")
    kind, payload = Kind(number), memoryview(data)[_HEADER.size :]
    wanted = _length(kind, count)
    if len(payload) != wanted:
        raise BadMessage(f"{kind.name}: {count} take {wanted} bytes, and {len(payload)} came")
    if not np.isfinite(time):
        raise BadMessage(f"{kind.name}: its time is no number")
    if kind is Kind.SOUND:
        return Message(kind, time, sound=np.frombuffer(payload, "<f4"))
    if kind is Kind.REACTIONS:
        return Message(kind, time, rows=np.frombuffer(payload, "<f4").reshape(count, REACTION))
    if kind in _WIDTHS:
        times = np.frombuffer(payload[: 8 * count], "<f8")
        rows = np.frombuffer(payload[8 * count :], "<f4").reshape(count, _WIDTHS[kind])
        return Message(kind, time, times=times, rows=rows)
    return Message(kind, time, data=bytes(payload))


_WIDTHS = {Kind.FACES: COEFFS, Kind.TRACKED: EXPRESSIONS + MATRIX}
"""Numbers of a row that has a time."""


def _length(kind: Kind, count: int) -> int:
    """Bytes that so many take."""
    if kind is Kind.SOUND:
        return 4 * count
    if kind is Kind.REACTIONS:
        return 4 * REACTION * count
    if kind in _WIDTHS:
        return count * (8 + 4 * _WIDTHS[kind])
    return count


def _packed(kind: Kind, count: int, time: float, payload: bytes) -> bytes:
    return _HEADER.pack(_MAGIC, VERSION, kind, count, time) + payload
