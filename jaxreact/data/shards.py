"""The files of a packed data set: ArrayRecord shards, one record a clip.

A record is the clip's table as little-endian float32, its sound as 16 bits a sample, or its small
pictures as bytes, 3 a pixel. Records are not compressed: float tables would shrink to two thirds
and sound to as much, but reading them would take four to eight times longer. ArrayRecord guards
each record by a hash, so that damage is noticed when it is read.
"""

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter
from jaxtyping import Float, UInt8

from jaxreact.errors import UserError, reading
from jaxreact.files import replacing

_WRITER = "group_size:1,uncompressed"
"""One record a group: any record can be read without its neighbours."""
_READER = "readahead_buffer_size:0,max_parallelism:0"
_READ_BUFFER = 32768
_LARGEST = 32767
_MEND = "run `python -m jaxreact.data.prepare` again to mend it"


@dataclass(frozen=True)
class Part:
    """A file of a packed data set: where it lies below the cache, and what it must be."""

    file: str
    size: int
    sha256: str

    @classmethod
    def of(cls, root: Path, file: str) -> "Part":
        """Describes `root/file` as it is now."""
        path = root / file
        return cls(file, path.stat().st_size, sha256(path))

    def is_intact(self, root: Path) -> bool:
        """Whether `root/file` is there with these very bytes; reads all of it."""
        path = root / self.file
        return path.is_file() and path.stat().st_size == self.size and sha256(path) == self.sha256

    def check_size(self, root: Path) -> None:
        """Raises `UserError` if `root/file` is missing or of another size; reads nothing."""
        path = root / self.file
        if not path.is_file():
            raise UserError(f"{path}: missing from the cache; {_MEND}")
        if path.stat().st_size != self.size:
            raise UserError(
                f"{path}: {path.stat().st_size} bytes instead of {self.size}, truncated or of "
                f"another cache; {_MEND}"
            )


def sha256(path: Path) -> str:
    """A file's digest as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_shard(path: Path, records: Iterable[bytes]) -> None:
    """Writes records beside `path` and renames. The same records give the same bytes.

    Raises `UserError` where the disk does not take them.
    """
    with replacing(path) as temporary:
        try:
            writer = ArrayRecordWriter(str(temporary), _WRITER)
            for record in records:
                writer.write(record)
            writer.close()
        except (RuntimeError, OSError) as error:
            raise UserError(
                f"{path}: cannot be written ({_first_line(error)}); make room and run this again, "
                "what is finished is kept"
            ) from None


class Shards:
    """Random access to records of shards below a folder.

    A file is opened when first read, once a process. Safe for threads; a pickled one arrives with
    nothing open.
    """

    def __init__(self, root: Path):
        self._root = root
        self._open: dict[str, ArrayRecordReader] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> Path:
        return self._root

    def __setstate__(self, root: Path) -> None:
        Shards.__init__(self, root)

    def read(self, file: str, position: int) -> bytes:
        """The record at a position. Raises `UserError` for a damaged or missing file."""
        with reading(self._root / file, f"record {position} cannot be read", _MEND):
            return self._reader(file).read([position])[0]

    def _reader(self, file: str) -> ArrayRecordReader:
        with self._lock:
            if file not in self._open:
                path = str(self._root / file)
                reader = ArrayRecordReader(path, _READER, file_reader_buffer_size=_READ_BUFFER)
                self._open[file] = reader
            return self._open[file]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(";")[0]


def encode_table(table: Float[np.ndarray, "frames channels"]) -> bytes:
    """A float32 table as a record."""
    return table.astype("<f4", copy=False).tobytes()


def decode_table(record: bytes, channels: int) -> Float[np.ndarray, "frames channels"]:
    """The table of a record, bit for bit what was encoded. Raises ValueError if it is none."""
    return np.frombuffer(record, "<f4").reshape(-1, channels).astype(np.float32, copy=False)


def encode_sound(waveform: Float[np.ndarray, "samples"]) -> tuple[bytes, float]:
    """Sound as a record of 16 bits a sample, and what to multiply these by.

    The multiplier is the clip's peak / 32767 (1 for silence), so that a quiet voice loses no more
    than a loud one: at most half a multiplier.
    """
    scale = np.float32(np.abs(waveform).max(initial=0.0) / _LARGEST)
    if not scale > 0:  # silence, or so faint that its multiplier underflows
        scale = np.float32(1)
    samples = np.round(waveform / scale).clip(-_LARGEST, _LARGEST)
    return samples.astype("<i2").tobytes(), float(scale)


def decode_sound(
    record: bytes, scale: float, start: int, samples: int
) -> Float[np.ndarray, "samples"]:
    """Samples `start` to `start + samples` of a record of sound; zeros behind its end."""
    sound = np.frombuffer(record, "<i2")[start : start + samples] * np.float32(scale)
    return np.pad(sound, (0, samples - len(sound)))


def decode_pictures(record: bytes, side: int) -> UInt8[np.ndarray, "frames side side 3"]:
    """The pictures of a record of bytes, row by row. Raises ValueError if it is none."""
    return np.frombuffer(record, np.uint8).reshape(-1, side, side, 3)
