"""MediaPipe on a machine without OpenGL.

MediaPipe's library is linked to libGLESv2 and libEGL, and its Python package imports OpenCV for
drawing helpers, which is linked to libGL. Tracking on the CPU calls none of them, but without
these files, which bare machines and containers lack, nothing loads. So where the system has no
such library we load an empty one of the same name whose functions all return 0 (a display that
does not exist), and where OpenCV cannot be imported an empty module takes its place meanwhile.

Why by hand: `apt-get install libgles2 libegl1 libgl1` brings the real ones, but only to who is
root; no package on PyPI has them under these names; and an empty file will not do, since ctypes
resolves every function on loading. Without this, tracking and its tests stop on a bare machine.
"""

import ctypes
import importlib.util
import platform
import re
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

LIBRARIES = ("libGLESv2.so.2", "libEGL.so.1")

_RETURN_ZERO = {  # ELF machine number and code of a function that returns 0
    "x86_64": (62, bytes.fromhex("31c0c3")),
    "aarch64": (183, bytes.fromhex("000080d2c0035fd6")),
}
_PAGE = 0x10000  # the largest page size among these machines


def provide_opengl() -> None:
    """Loads stand-ins for the OpenGL libraries that MediaPipe needs and this system lacks.

    Does nothing where they exist, MediaPipe is not installed, or the machine is of another kind
    than Linux on x86-64 or arm64. A stand-in lives until the process ends.
    """
    library = _mediapipe_library()
    if sys.platform != "linux" or platform.machine() not in _RETURN_ZERO or library is None:
        return
    missing = [name for name in LIBRARIES if not _loads(name)]
    if not missing:
        return
    functions = sorted(set(re.findall(rb"(?<=\0)e?gl[A-Z]\w+(?=\0)", library.read_bytes())))
    for name in missing:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(empty_library(name, functions, platform.machine()))
            ctypes.CDLL(str(path))  # found by its name from now on; the file may go


@contextmanager
def drawing_modules_optional() -> Iterator[None]:
    """While open, `cv2` and `matplotlib` can be imported as empty modules if OpenCV does not load.

    MediaPipe's drawing helpers are then unusable; nothing here calls them.
    """
    try:
        import cv2  # noqa: F401
    except ImportError:
        names = [name for name in _DRAWING if name not in sys.modules]
    else:
        names = []
    sys.modules.update({name: ModuleType(name) for name in names})
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


_DRAWING = ("cv2", "matplotlib", "matplotlib.pyplot")


def empty_library(name: str, functions: list[bytes], machine: str) -> bytes:
    """An ELF shared library called `name` whose `functions` all return 0.

    Layout (System V ABI): headers, symbols, strings, hash and code in a segment that is read and
    executed; the dynamic section, which the loader changes, in one that is written.
    """
    number, code = _RETURN_ZERO[machine]
    strings, offsets = b"\0", []
    for text in (name.encode(), *functions):
        offsets.append(len(strings))
        strings += text + b"\0"
    count = len(functions) + 1  # the first symbol is empty by definition
    symbols_at = 64 + 4 * 56
    strings_at = symbols_at + 24 * count
    hash_at = -(-(strings_at + len(strings)) // 8) * 8
    chain = (0, *range(2, count), 0)  # one bucket: each symbol leads to the next
    table = struct.pack(f"<{3 + count}I", 1, count, 1, *chain)
    code_at = -(-(hash_at + len(table)) // 16) * 16
    entries = [(14, offsets[0]), (4, hash_at), (5, strings_at), (6, symbols_at)]
    entries += [(10, len(strings)), (11, 24), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    dynamic_at = -(-(code_at + len(code)) // _PAGE) * _PAGE

    symbols = bytes(24) + b"".join(
        struct.pack("<IBBHQQ", offset, 0x12, 0, 1, code_at, len(code)) for offset in offsets[1:]
    )
    end = code_at + len(code)
    segments = [
        (1, 5, 0, end, _PAGE),  # loaded, read and executed
        (1, 6, dynamic_at, len(dynamic), _PAGE),  # loaded, read and written
        (2, 6, dynamic_at, len(dynamic), 8),  # where the dynamic section is
        (0x6474E551, 6, 0, 0, 16),  # no executable stack
    ]
    image = bytearray(dynamic_at)
    parts = (
        (0, _headers(number, segments)),
        (symbols_at, symbols),
        (strings_at, strings),
        (hash_at, table),
    )
    for at, part in (*parts, (code_at, code)):
        image[at : at + len(part)] = part
    return bytes(image) + dynamic


def _headers(machine: int, segments: list[tuple[int, int, int, int, int]]) -> bytes:
    """The file's header and one for each segment (kind, permissions, place, length, alignment)."""
    header = b"\x7fELF\2\1\1" + bytes(9)  # 64 bit, little endian
    sizes = (64, 56, len(segments), 0, 0, 0)
    header += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, *sizes)
    for kind, permissions, at, length, align in segments:
        header += struct.pack("<IIQQQQQQ", kind, permissions, at, at, at, length, length, align)
    return header


def _mediapipe_library() -> Path | None:
    spec = importlib.util.find_spec("mediapipe")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        library = Path(folder) / "tasks" / "c" / "libmediapipe.so"
        if library.is_file():
            return library
    return None


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
