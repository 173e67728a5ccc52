"""Reads PyTorch checkpoints to numpy, without torch and without trusting them.

Three containers: the zip archive that `torch.save` writes since 1.6, the older sequence of
pickles, and safetensors. Pickles are read as data (`plain_pickle`): a checkpoint can name only the
globals of `torch_tensors.GLOBALS`, and any other is refused by name. Sizes are checked against the
file before anything is allocated, and arrays are views of the stored bytes.
"""

import mmap
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from jaxreact.errors import Remark, UserError, reading, reason_of
from jaxreact.torch_files.entries import ENTRIES, dictionary, find_state_dict
from jaxreact.torch_files.names import shown
from jaxreact.torch_files.plain_pickle import Malformed, Refused, load
from jaxreact.torch_files.torch_tensors import (
    GLOBALS,
    Storage,
    materialise,
    storage_of,
    swap_bytes,
)
from jaxreact.torch_files.zip_entry import data_start

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001

_ALONE = "save its tensors again by themselves"
Contents = tuple[Any, Callable[[Storage], bytes | memoryview]]
"""The unpickled object with `Tensor`s in it, and the reader of their storages."""


def read_checkpoint(path: str | Path) -> dict[Any, Any]:
    """The whole checkpoint: nested plain containers with read-only numpy arrays.

    bfloat16 and float8 come as `ml_dtypes`. Raises UserError where the file is missing, truncated,
    damaged, no checkpoint, or names a global that is not permitted (which is not executed).
    """
    return _read(path, dictionary)


def read_content(path: str | Path) -> Any:
    """As `read_checkpoint`, for files that hold anything: one tensor, a list, a dictionary."""
    return _read(path, lambda content: content, _ALONE)


def read_keys(path: str | Path) -> list[Any] | None:
    """The keys of the dictionary that a file holds, or None where it holds something else.

    None of its tensors is read. Raises UserError as `read_checkpoint` does.
    """
    return _read(path, lambda content: list(content) if isinstance(content, dict) else None, _ALONE)


def read_entries(path: str | Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """Some entries of the dictionary that a file holds, those of `keys` that it has.

    Tensors of a zip archive are mapped, not read: they may be larger than memory. Tensors that
    share a storage are views of one mapping; one that is expanded may be far larger than the file.
    Raises UserError as `read_checkpoint` does.
    """

    def select(content: Any) -> dict[str, Any]:
        entries = dictionary(content)
        return {key: entries[key] for key in keys if key in entries}

    return _read(path, select, _ALONE, mapped=True)


def read_state_dict(path: str | Path, entries: tuple[str, ...] = ENTRIES) -> dict[str, np.ndarray]:
    """The tensors by name: those under the first of `entries` that the file has, or of a file that
    is a state dict; safetensors too. A `Remark` says where there was a choice.

    Only these are read, not the optimizer's. Raises UserError as `read_checkpoint` does, and where
    the file holds no state dict.
    """
    tensors, remark = _read(path, lambda content: find_state_dict(content, entries))
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, np.ndarray):
            raise UserError(f"{path}: {shown(repr(name))} in its state dict is no tensor")
    if remark:
        warnings.warn(f"{path}: {remark}", Remark, stacklevel=2)
    return tensors


def read_training_record(path: str | Path) -> dict[str, int]:
    """What a Lightning checkpoint says of its training, where it does: `epoch`, `global_step`."""
    content = _read(
        path, lambda entries: {k: v for k, v in dictionary(entries).items() if isinstance(v, int)}
    )
    return {name: content[name] for name in ("epoch", "global_step") if name in content}


def _read(
    path: str | Path,
    select: Callable[[Any], Any],
    instead: str = "save its state_dict alone and convert that",
    *,
    mapped: bool = False,
) -> Any:
    """The selected part of a file's content, as arrays; every failure as a UserError.

    `instead` is what to do with a file that is refused, if one trusts it.
    """
    path = Path(path)
    with reading(path, "truncated or damaged", of="checkpoint file"), path.open("rb") as file:
        try:
            content, read = _open(path, file, mapped)
            return materialise(select(content), read)
        except Refused as error:
            raise UserError(
                f"{path}: refused: it names {error}, which no checkpoint needs; nothing was"
                f" executed. If you trust the file, {instead}"
            ) from None
        except Malformed as error:
            raise UserError(f"{path}: not a readable checkpoint: {reason_of(error)}") from error


def _open(path: Path, file: IO[bytes], mapped: bool) -> Contents:
    """The content of any of the three containers, told apart by its first bytes."""
    head = file.read(9)
    file.seek(0)
    if head.startswith(b"PK"):
        return _open_zip(path, file, mapped)
    if head[8:] == b"{":
        return _open_safetensors(path)
    if head.startswith(b"\x80"):
        return _open_legacy(path, file)
    if not head:
        raise Malformed("the file is empty")
    raise Malformed("it is neither a PyTorch file nor safetensors")


def _open_safetensors(path: Path) -> Contents:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path)), lambda storage: b""
    except SafetensorError as error:
        raise Malformed(f"{reason_of(error)}; copy it again") from error
    except (AttributeError, LookupError) as error:  # float8 and less: it asks NumPy for the type
        kind = reason_of(error).rpartition(" ")[2].strip("'")
        raise Malformed(
            f"a tensor of {kind}, which means nothing without its scales; save it as float32"
        ) from error


def _open_zip(path: Path, file: IO[bytes], mapped: bool) -> Contents:
    archive = zipfile.ZipFile(file)
    entries = {entry.filename: entry for entry in archive.infolist()}
    pickles = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise Malformed("the archive has no data.pkl; it is no PyTorch checkpoint")
    root = pickles[0].removesuffix("data.pkl")
    if any(entry.flag_bits & 0x1 for entry in entries.values()):
        raise Malformed("the archive is encrypted, which PyTorch never does; unpack and zip -0 it")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
        raise Malformed("the archive is compressed, which PyTorch never does; unpack and zip -0 it")
    if sum(entry.file_size for entry in entries.values()) > path.stat().st_size:
        raise Malformed("the archive's entries overlap")
    order = archive.read(root + "byteorder") if root + "byteorder" in entries else b"little"
    with archive.open(pickles[0]) as stream:
        content = load(stream, GLOBALS, storage_of)
    cache: dict[str, bytes | memoryview] = {}
    whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if mapped else None

    def read(storage: Storage) -> bytes | memoryview:
        if storage.key not in cache:
            name = f"{root}data/{storage.key}"
            if name not in entries:
                raise Malformed(f"storage {storage.key} is missing")
            if whole is None:
                raw = archive.read(name)
            else:
                raw = _mapped(whole, file, archive, entries[name])
            cache[storage.key] = swap_bytes(raw, storage.dtype) if order == b"big" else raw
        return cache[storage.key]

    return content, read


def _mapped(
    whole: memoryview, file: IO[bytes], archive: zipfile.ZipFile, entry: zipfile.ZipInfo
) -> memoryview:
    """An entry's part of the mapped file, once it is known to be undamaged."""
    with archive.open(entry) as stream:
        while stream.read(1 << 20):  # compares its check sum at the end
            pass
    start = data_start(file, entry)
    return whole[start : start + entry.file_size]


def _open_legacy(path: Path, file: IO[bytes]) -> Contents:
    if load(file, {}) != LEGACY_MAGIC:
        raise Malformed("it is a pickle, but not PyTorch's")
    if load(file, {}) != LEGACY_PROTOCOL:
        raise Malformed("an unknown version of PyTorch's older format")
    load(file, {})  # byte order and sizes of the machine; storages are little-endian everywhere
    sizes: dict[str, int] = {}

    def persistent(parts: Any) -> Storage:
        storage = storage_of(parts)
        sizes[storage.key] = storage.dtype.itemsize
        return storage

    content = load(file, GLOBALS, persistent)
    places: dict[str, tuple[int, int]] = {}
    for key in _expect_names(load(file, {})):
        if key not in sizes:
            raise Malformed(f"storage {shown(key)} belongs to nothing")
        count = struct.unpack("<q", _exactly(file, 8))[0]
        places[key] = (file.tell(), count * sizes[key])
        if not 0 <= count * sizes[key] <= path.stat().st_size - file.tell():
            raise Malformed("it is truncated; copy it again")
        file.seek(count * sizes[key], 1)
    cache: dict[str, bytes] = {}

    def read(storage: Storage) -> bytes:
        if storage.key not in cache:
            if storage.key not in places:
                raise Malformed(f"storage {storage.key} is missing")
            offset, size = places[storage.key]
            file.seek(offset)
            cache[storage.key] = _exactly(file, size)
        return cache[storage.key]

    return content, read


def _expect_names(keys: Any) -> list[str]:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Malformed("its storages are no list of names")
    return keys


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise Malformed("it is truncated; copy it again")
    return data
