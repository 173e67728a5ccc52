"""Reads pickled NumPy arrays as data: what `np.load(allow_pickle=True)` would run, without running.

Only what rebuilds an array, a scalar or a dtype may be named, by NumPy's old and new modules.
Sizes are checked against the bytes that are there.
"""

import math
import mmap
import re
from pathlib import Path
from typing import IO, Any

import numpy as np

from jaxreact.errors import UserError, reading
from jaxreact.torch_files.plain_pickle import Call, Malformed, Refused, load

_NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
_TEXT = re.compile(r"U\d{1,6}")
_OBJECTS = ("O", "O4", "O8")
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(?P<type>[^'\n]*)', 'fortran_order': \w+, 'shape': (?P<shape>\([\d, ]*\)), \}\s*"
)
"""What NumPy writes; its own parser of headers lets errors of Python's tokeniser through."""


class PickledDtype:
    """NumPy's pickled dtype: made from a code, its byte order set afterwards."""

    def __init__(self, code: Any, *_: Any):
        if not isinstance(code, str):  # which might take forever to write out
            raise Malformed("numpy dtype that is no text")
        if code not in (*_NUMBERS, *_OBJECTS) and not _TEXT.fullmatch(code):
            raise Malformed(f"numpy dtype {code!r}")
        self.dtype = np.dtype("O" if code in _OBJECTS else code)

    def build(self, state: Any) -> None:
        if state[1] in "<>|=":
            self.dtype = self.dtype.newbyteorder(state[1])


class PickledArray:
    """A NumPy array that is being rebuilt: empty until its state is set."""

    def __init__(self, *_: Any):
        self.content: np.ndarray | list[Any] | None = None
        self.copied = 0
        """Bytes that stand nowhere else."""

    def build(self, state: Any) -> None:
        _version, shape, dtype, fortran, data = state
        self.fill(data, dtype, shape, "F" if fortran else "C")

    def fill(self, data: Any, dtype: Any, shape: Any, order: str) -> None:
        """Takes the elements: bytes of exactly the right number, or a list of objects."""
        if not isinstance(dtype, PickledDtype) or not isinstance(shape, tuple) or len(shape) > 8:
            raise Malformed("an array without dtype or shape")
        if any(not isinstance(size, int) or size < 0 for size in shape):
            raise Malformed("an array with a negative size")
        count = math.prod(shape)
        if dtype.dtype.hasobject:
            if not isinstance(data, list) or len(data) != count:
                raise Malformed("an array of objects without its objects")
            self.content = data
            return
        if isinstance(data, str):  # Python 2 had no bytes
            data, self.copied = data.encode("latin-1"), len(data)
        if not isinstance(data, (bytes, bytearray)) or len(data) != count * dtype.dtype.itemsize:
            raise Malformed("an array whose bytes are not as many as its shape says")
        flat = np.frombuffer(data, dtype.dtype) if count else np.empty(0, dtype.dtype)
        self.content = flat.reshape(shape, order="F" if order == "F" else "C")


def numpy_scalar(dtype: Any, value: Any) -> Any:
    """A pickled scalar as Python's own number or text."""
    if not isinstance(dtype, PickledDtype) or dtype.dtype.hasobject:
        raise Malformed("a scalar without a dtype")
    return np.frombuffer(value, dtype.dtype, count=1)[0].item()


def encode(text: Any, codec: Any) -> bytes:
    """How bytes are written in the older protocols."""
    if codec not in ("latin1", "latin-1"):
        raise Malformed("a codec other than latin-1")
    return text.encode("latin-1")


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> PickledArray:
    array = PickledArray()
    array.fill(data, dtype, shape, order)
    return array


def read_dictionary(path: Path, expected: str) -> dict[str, Any]:
    """The dictionary in an .npy file, as `np.save` writes a Python object.

    Its arrays come over the bytes that were read, arrays of objects as flat lists; what lies deeper
    is not converted.
    Raises UserError where the file is missing, another kind of file (then it says to give
    `wanted`), damaged, or names a global that is not permitted (which is not executed).
    """
    with reading(path, "not a readable .npy file", "fetch it again"), path.open("rb") as file:
        if problem := _skip_header(file):
            raise UserError(f"{path}: {problem}; give {expected}")
        # Unlike a file, a map never allocates more than is there for a length that lies.
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
            stream.seek(file.tell())
            try:
                whole = load(stream, GLOBALS)
            except Refused as error:
                raise UserError(
                    f"{path}: refused: it names {error}, which no array needs; nothing was executed"
                ) from None
            except Malformed as error:
                raise UserError(f"{path}: damaged ({error}); fetch it again") from error
    content = _plain(whole)
    if not isinstance(content, list) or len(content) != 1 or not isinstance(content[0], dict):
        raise UserError(f"{path}: it holds no dictionary; give {expected}")
    return {str(name): _plain(value) for name, value in content[0].items()}


def _skip_header(file: IO[bytes]) -> str:
    """Leaves `file` behind the header of an .npy file of objects; or says what it is instead."""
    start = file.read(len(_MAGIC))
    if start.startswith(b"PK"):
        return "a zip archive (an npz, or PyTorch's), not a pickled .npy file"
    header = file.read(int.from_bytes(file.read(2), "little")) if start == _MAGIC else b""
    if (fields := _HEADER.fullmatch(header)) is None:
        return "not an .npy file"
    if fields["type"] == b"|O":
        return ""
    kind, shape = (fields[name].decode("ascii", "replace") for name in ("type", "shape"))
    return f"it holds numbers, {kind} {shape}, not a pickled dictionary"


def _plain(value: Any) -> Any:
    return value.content if isinstance(value, PickledArray) else value


def _globals() -> dict[str, Any]:
    table: dict[str, Any] = {
        "numpy.dtype": Call(PickledDtype),
        "numpy.ndarray": None,  # only named, as the class to rebuild
        "_codecs.encode": Call(encode),
    }
    for module in ("builtins", "__builtin__"):
        table[f"{module}.bytes"] = Call(lambda: b"")  # of an empty array, in the older protocols
    for core in ("numpy.core", "numpy._core"):
        table[f"{core}.multiarray._reconstruct"] = Call(PickledArray)
        table[f"{core}.multiarray.scalar"] = Call(numpy_scalar)
        table[f"{core}.numeric._frombuffer"] = Call(_from_buffer)
    return table


GLOBALS = _globals()
"""Every global that may be named. Adding one here is a decision about safety."""
