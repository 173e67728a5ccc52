"""Faces in pictures that clients send who cannot track them themselves."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image, UnidentifiedImageError

from jaxreact.live.messages import BadMessage
from jaxreact.tracking.landmarker import Landmarker, open_landmarker

MOST_PIXELS = 640 * 640

Saw = Callable[[float, Float[np.ndarray, "52"], Float[np.ndarray, "4 4"]], None]
"""Takes the time, the expressions and the pose matrix of a face that was found."""


class Pictures:
    """Tracks one session's pictures in a thread; a picture that comes while another is looked at is
    left out."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "pictures")
        self._context: Any = None
        self._landmarker: Landmarker | None = None
        self._busy = False
        self._latest = -np.inf

    def track(self, time: float, jpeg: bytes, saw: Saw) -> None:
        """Looks at a picture and calls `saw`, in the thread, where there is a face. Raises
        BadMessage for what is no JPEG of at most `MOST_PIXELS`."""
        try:
            picture = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
        except (UnidentifiedImageError, OSError, ValueError):
            raise BadMessage("PICTURE: this is no JPEG") from None
        if picture.width * picture.height > MOST_PIXELS:
            raise BadMessage(f"PICTURE: {picture.width} x {picture.height}; at most 640 x 640")
        if self._busy or time <= self._latest:
            return
        self._busy, self._latest = True, time
        self._thread.submit(self._look, time, picture, saw)

    def close(self) -> None:
        """Ends the thread."""
        self._thread.submit(self._release)
        self._thread.shutdown(wait=False)

    def _look(self, time: float, picture: Image.Image, saw: Saw) -> None:
        try:
            rgb = np.asarray(picture.convert("RGB"))
            found = self._opened().detect(rgb, time)
            if found is not None:
                saw(time, found.expressions, found.matrix)
        except (OSError, ValueError):  # half a picture
            pass
        finally:
            self._busy = False

    def _opened(self) -> Landmarker:
        if self._landmarker is not None:
            return self._landmarker
        self._context = open_landmarker()
        self._landmarker = opened = self._context.__enter__()
        return opened

    def _release(self) -> None:
        if self._context is not None:
            self._context.__exit__(None, None, None)
