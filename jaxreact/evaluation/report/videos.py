"""Videos in the page: inside it while they are small, else as links beside it."""

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

EMBEDDED_BYTES = 3_000_000
"""Bytes of video that a page takes in; what is beyond is linked."""


class Videos:
    """The videos of a page, which share the room in it."""

    def __init__(self, out: Path, files: Mapping[int, Path], room: int = EMBEDDED_BYTES):
        self._out = out
        self._files = files
        self._room = room

    @property
    def clips(self) -> list[int]:
        """Those that have a video."""
        return list(self._files)

    def source(self, clip: int) -> str:
        """The address of a clip's video: its content as long as there is room for it, else its
        path; empty for a clip without one."""
        path = self._files.get(clip)
        if path is None:
            return ""
        if path.stat().st_size > self._room:
            return quote(path.relative_to(self._out).as_posix())
        content = path.read_bytes()
        self._room -= len(content)
        return f"data:video/mp4;base64,{base64.b64encode(content).decode()}"
