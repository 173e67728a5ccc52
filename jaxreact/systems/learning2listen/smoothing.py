"""What the original does to faces before anything else: a bilateral filter along time.

(Learning2Listen, utils/load_utils.py: OpenCV's filter, diameter 5 and both deviations 20, of each
channel as a picture one pixel wide.) It sees two frames ahead.
"""

import numpy as np
from jaxtyping import Float

_AHEAD = 2
_SCALE = -1 / 800
"""Of squares, in the exponent: half over the square of 20."""


def smoothed(motion: Float[np.ndarray, "*clips time channels"]) -> Float[np.ndarray, "..."]:
    """Each frame a weighted mean of five, mirrored at both ends; the same shape, float32.

    The disc of the filter counts neighbours 5, 3 and 1 times, once for each pixel of the picture's
    width that it mirrors; weights also fall with the difference of values, which hardly matters for
    coefficients of faces.
    """
    x = np.asarray(motion, np.float64)
    time = x.shape[-2]
    sides = [(0, 0)] * (x.ndim - 2) + [(_AHEAD, _AHEAD), (0, 0)]
    wide = np.pad(x, sides, mode="reflect" if time > _AHEAD else "symmetric")
    total, weights = np.zeros_like(x), np.zeros_like(x)
    for place in range(-_AHEAD, _AHEAD + 1):
        begin = _AHEAD + place
        neighbour = wide[..., begin : begin + time, :]
        weight = _ACROSS[abs(place)] * np.exp(_SCALE * (neighbour - x) ** 2)
        total += weight * neighbour
        weights += weight
    return (total / weights).astype(np.float32)


def _across() -> tuple[float, float, float]:
    """Weights of neighbours 0, 1 and 2 frames away, summed over the picture's width."""
    one, two, four = (float(np.exp(_SCALE * square)) for square in (1, 2, 4))
    return 1 + 2 * one + 2 * four, one + 2 * two, four


_ACROSS = _across()
