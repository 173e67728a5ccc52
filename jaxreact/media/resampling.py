"""Another number of samples a second, of sound that comes a little at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from jaxtyping import Float


def resampled(
    parts: Iterable[Float[np.ndarray, "samples"]], rate: float, target: float
) -> Iterator[Float[np.ndarray, "resampled"]]:
    """Yields float32 sound at `target` Hz of sound at `rate` Hz, at soxr's HQ setting.

    All together it is to the last bit what `soxr.resample` makes of the whole at once, however it
    is cut. A part that is not resampled passes as it is.
    """
    if rate == target:
        yield from parts
        return
    stream, is_empty = soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ"), True
    for part in parts:
        is_empty &= not len(part)
        if len(made := stream.resample_chunk(part)):
            yield made
    if not is_empty:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
