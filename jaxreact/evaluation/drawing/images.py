"""A folder of frames as images, which is there when all of them are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from jaxreact.files import building

Save = Callable[[int, UInt8[np.ndarray, "height width 3"]], None]


@contextmanager
def open_folder(path: Path) -> Iterator[Save]:
    """Yields a function that saves frame number t as frame_<t>.png, the original's name for it.

    The folder is renamed to `path` when the block ends well, and replaces what was there.
    """
    with building(path) as folder:
        folder.mkdir()

        def save(number: int, frame: UInt8[np.ndarray, "height width 3"]) -> None:
            Image.fromarray(frame).save(folder / f"frame_{number}.png")

        yield save
