"""MediaPipe's files for the browser."""

from pathlib import Path


def fetch_vision(folder: Path) -> Path:
    """The folder."""
    raise NotImplementedError
