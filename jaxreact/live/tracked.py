"""MediaPipe's results as raw coefficients, picture by picture."""

from collections import deque

import numpy as np
from jaxtyping import Float

from jaxreact.tracking.pose import rotations, seen, translations_of

MEMORY = 750
"""Pictures whose median is the person's usual place: half a minute of them."""


class LiveFace:
    """One person's face, whose usual place and size are learnt as it is seen.

    A film's tracker takes the median of the whole film for the neutral place
    (`jaxreact.tracking.pose`); here it is that of the pictures so far.
    """

    def __init__(self) -> None:
        self._places: deque[np.ndarray] = deque(maxlen=MEMORY)

    def coeffs(
        self, expressions: Float[np.ndarray, "rows 52"], matrices: Float[np.ndarray, "rows 4 4"]
    ) -> Float[np.ndarray, "rows 58"]:
        """Raw coefficients. Raises ValueError for matrices that are no poses before a camera."""
        if not (np.isfinite(expressions).all() and np.isfinite(matrices).all()):
            raise ValueError("what was tracked is not all finite")
        if not (matrices[:, 2, 3] < 0).all():
            raise ValueError("a face behind the camera")
        places = seen(matrices)
        rows = []
        for place in places:
            self._places.append(place)
            usual = np.median(np.stack(self._places), axis=0)
            rows.append(translations_of(place[None], usual)[0])
        expressions = np.clip(expressions, 0.0, 1.0)
        return np.concatenate([expressions, rotations(matrices), np.stack(rows)], axis=1)
