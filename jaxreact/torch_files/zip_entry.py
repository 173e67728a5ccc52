"""Where the bytes of a zip archive's entry stand in its file."""

import io
import struct
import zipfile
from typing import IO


def data_start(file: IO[bytes] | io.BufferedIOBase, entry: zipfile.ZipInfo) -> int:
    """Where an entry's bytes begin: behind its local header, whose length differs from entry to
    entry."""
    position = file.tell()
    file.seek(entry.header_offset)
    name, extra = struct.unpack("<26xHH", file.read(30))
    file.seek(position)
    return entry.header_offset + 30 + name + extra
