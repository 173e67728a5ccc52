"""Videos in the page: inside it while they are small, else as links beside it."""

import base64
from html import escape
from pathlib import Path
from urllib.parse import quote

EMBEDDED_BYTES = 3_000_000
"""Bytes of video that a page takes in; what is beyond is linked."""


class Videos:
    """The videos of a page, which share the room in it."""

    def __init__(self, out: Path, room: int = EMBEDDED_BYTES):
        self._out = out
        self._room = room

    def element(self, path: Path, label: str) -> str:
        """A video element; its source is the file itself as long as there is room for it."""
        if path.stat().st_size <= self._room:
            content = path.read_bytes()
            self._room -= len(content)
            source = f"data:video/mp4;base64,{base64.b64encode(content).decode()}"
        else:
            source = quote(path.relative_to(self._out).as_posix())
        return (
            f'<video controls playsinline preload="metadata" src="{escape(source)}"'
            f' aria-label="{escape(label)}"></video>'
        )
