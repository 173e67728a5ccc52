"""A folder of frames as images, which is there when all of them are."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

Save = Callable[[int, UInt8[np.ndarray, "height width 3"]], None]


@contextmanager
def open_folder(path: Path) -> Iterator[Save]:
    """Yields a function that saves frame number t as frame_<t>.png, the original's name for it.

    The folder is renamed to `path` when the block ends well, and replaces what was there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))

    def save(number: int, frame: UInt8[np.ndarray, "height width 3"]) -> None:
        Image.fromarray(frame).save(beside / f"frame_{number}.png")

    try:
        yield save
        shutil.rmtree(path, ignore_errors=True)
        beside.chmod(0o755)  # mkdtemp's folders are for their owner alone
        beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
