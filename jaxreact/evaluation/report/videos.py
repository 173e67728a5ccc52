"""Videos in the page: inside it while they are small, else as links beside it."""

import base64
from pathlib import Path
from urllib.parse import quote

EMBEDDED_BYTES = 3_000_000
"""Bytes of video that a page takes in; what is beyond is linked."""


class Videos:
    """The videos of a page, which share the room in it."""

    def __init__(self, out: Path, room: int = EMBEDDED_BYTES):
        self._out = out
        self._room = room

    def source(self, path: Path) -> str:
        """The address of a video: its content as long as there is room for it, else its path."""
        if path.stat().st_size > self._room:
            return quote(path.relative_to(self._out).as_posix())
        content = path.read_bytes()
        self._room -= len(content)
        return f"data:video/mp4;base64,{base64.b64encode(content).decode()}"
