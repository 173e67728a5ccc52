"""Sequences in another number of frames."""

import numpy as np
from jaxtyping import Float

from jaxreact.face import ACTION_UNITS


def resampled(
    sequence: Float[np.ndarray, "length 25"], frames: int
) -> Float[np.ndarray, "frames 25"]:
    """Emotion stretched or squeezed evenly to `frames` frames, float32; the ends meet the ends.

    Frame t of T shows the moment t (L - 1) / (T - 1) of L frames. Valence, arousal and the
    expressions are interpolated linearly; action units are those of the nearest frame, the later
    of two that are equally near, since there is none between 0 and 1. Both have two frames or more.
    """
    length = len(sequence)
    if length == frames:
        return sequence
    before, rest = np.divmod(np.arange(frames) * (length - 1), frames - 1)
    after = np.minimum(before + 1, length - 1)
    share = (rest / (frames - 1))[:, None]
    found = ((1 - share) * sequence[before] + share * sequence[after]).astype(np.float32)
    nearest = np.where(2 * rest >= frames - 1, after, before)
    found[:, ACTION_UNITS] = sequence[nearest, ACTION_UNITS]
    return found
