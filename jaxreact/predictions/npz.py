"""npz files of any size: written piece by piece, read by mapping them into memory.

NumPy's own writer puts arrays at odd addresses, which cannot be mapped; here each begins at a
multiple of 64 bytes, the way Android's zipalign does it: by padding in the zip entry's header.
NumPy reads such files as any other.
"""

import io
import math
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from jaxreact.errors import reading
from jaxreact.torch_files.zip_entry import data_start

NO_NPZ = "damaged, or no npz file of plain arrays"
AGAIN = "copy it again, or save its numbers by np.savez"
ALIGNMENT = 64
_PADDING_ID = 0xD935  # zipalign's
_HEADER = 30 + 20  # an entry's local header without its name, and the field with 64-bit sizes
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever they are written


@dataclass(frozen=True)
class Pieces:
    """An array that is never in memory as a whole: `pieces` joined along the first axis."""

    shape: tuple[int, ...]
    dtype: np.dtype
    pieces: Iterable[np.ndarray]


def write_npz(path: Path, arrays: Mapping[str, np.ndarray | Pieces]) -> None:
    """Writes an uncompressed npz file; equal arrays give equal bytes.

    Raises ValueError where pieces do not add up to their shape.
    """
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _BEGINNING)
            entry.extra = _padding(file.tell() + _HEADER + len(entry.filename))
            with archive.open(entry, "w", force_zip64=True) as member:
                _write_array(member, array)


def _padding(end: int) -> bytes:
    """An extra field of a zip header that would end at `end` without it."""
    size = -(end + 4) % ALIGNMENT
    return struct.pack("<HH", _PADDING_ID, size) + bytes(size)


def _write_array(member: IO[bytes] | io.BufferedIOBase, array: np.ndarray | Pieces) -> None:
    rows = array.pieces if isinstance(array, Pieces) else array if array.ndim > 1 else [array]
    header = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False}
    np.lib.format.write_array_header_1_0(member, {**header, "shape": array.shape})
    written = 0
    for piece in rows:
        member.write(np.asarray(piece, array.dtype).tobytes())
        written += piece.size
    if written != np.prod(array.shape, dtype=np.int64):
        raise ValueError(f"{written} elements written for shape {array.shape}")


def map_npz(path: Path, problem: str = NO_NPZ, advice: str = AGAIN) -> dict[str, np.ndarray]:
    """The arrays of an npz file by name, read-only and mapped where they can be.

    Compressed arrays, and those at odd addresses, are read into memory. Raises `UserError` for what
    is no npz file of plain arrays; pickles are refused. `problem` and `advice` are those of
    `errors.reading`.
    """
    arrays: dict[str, np.ndarray] = {}
    with (
        reading(path, problem, advice),
        path.open("rb") as file,
        zipfile.ZipFile(file) as archive,
    ):
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if name == entry.filename:
                raise ValueError(f"it holds {entry.filename!r}, which is no array")
            if name in arrays:
                raise ValueError(f"it holds {name} twice")
            with archive.open(entry) as member:
                shape, order, dtype = _header(member)
                begin = data_start(file, entry) + member.tell()
                fits = begin % dtype.alignment == 0 and dtype.kind in "fiubc"
                if entry.compress_type == zipfile.ZIP_STORED and fits and 0 not in shape and shape:
                    size = dtype.itemsize * math.prod(shape)
                    if member.tell() + size > entry.file_size or begin + size > path.stat().st_size:
                        raise ValueError(f"{name} is cut off: its header promises shape {shape}")
                    arrays[name] = np.memmap(path, dtype, "r", begin, shape, order)
                    continue
            with archive.open(entry) as member:
                arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
    return arrays


def _header(member: IO[bytes] | io.BufferedIOBase) -> tuple[tuple[int, ...], Any, np.dtype]:
    """Shape, order and type of the npy array at the member's beginning."""
    version = np.lib.format.read_magic(member)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"npy format {version}")
    shape, fortran, dtype = readers[version](member)
    return shape, "F" if fortran else "C", dtype
