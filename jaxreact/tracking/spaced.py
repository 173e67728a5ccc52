"""Some pictures of a video's beginning."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from jaxreact.media.video_reader import read_video


def spaced_pictures(
    path: str | Path, spacing: float, within: float
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yields pictures that are at least `spacing` seconds apart, of the first `within` seconds.

    Raises `UserError` as `read_video` does.
    """
    due = 0.0
    for picture in read_video(path, within):
        if picture.time >= due:
            due = picture.time + spacing
            yield picture.rgb
