"""Mapping npy files without NumPy's own header parser.

NumPy parses headers with `ast`, whose depth counter CPython 3.11 shares between threads: a program
in which one thread reads an npy file while another one compiles anything now and then fails with
"AST constructor recursion depth mismatch". The headers that NumPy itself writes are simple.
"""

import math
import re
import threading
from pathlib import Path

import numpy as np

_HEADER = re.compile(
    rb"\{'descr': '(?P<type>[<|>=]?[fiub]\d+)', 'fortran_order': (?P<order>True|False), "
    rb"'shape': \((?P<shape>[\d, ]*)\), \} *\n"
)
_LOCK = threading.Lock()


def map_npy(path: Path) -> np.ndarray:
    """The array of numbers in an npy file, mapped read-only; nothing of it is read yet.

    Raises whatever NumPy does for what is no such file (`errors.reading` is for that), ValueError
    for one that holds pickled objects.
    """
    with path.open("rb") as file:
        head = file.read(8)
        if head.startswith(b"PK"):
            raise ValueError("it is an npz archive")
        if head == b"\x93NUMPY\x01\x00":
            size = int.from_bytes(file.read(2), "little")
            header = _HEADER.fullmatch(file.read(size))
            if header is not None:
                return _map(path, header, 10 + size)
    with _LOCK:  # at least two readers do not meet each other
        return np.lib.format.open_memmap(path, "r")


def _map(path: Path, header: re.Match[bytes], offset: int) -> np.ndarray:
    shape = tuple(int(size) for size in header["shape"].split(b",") if size.strip())
    kind = np.dtype(header["type"].decode())
    if path.stat().st_size < offset + kind.itemsize * math.prod(shape):
        raise ValueError(f"the file is cut off: its header promises shape {shape}")
    if 0 in shape:
        return np.empty(shape, kind)
    order = "F" if header["order"] == b"True" else "C"
    return np.memmap(path, kind, "r", offset, shape, order)
