"""Reactions smoothed by a stated number of frames."""

import numpy as np
from jaxtyping import Float


def weights(frames: int) -> Float[np.ndarray, "taps"]:
    """Of the frames from `frames` before to `frames` after: a raised cosine, summing to 1."""
    taps = 1 + np.cos(np.pi * np.arange(-frames, frames + 1) / (frames + 1))
    return (taps / taps.sum()).astype(np.float32)


def smoothed(
    faces: Float[np.ndarray, "*batch time channels"], frames: int
) -> Float[np.ndarray, "*batch time channels"]:
    """Each frame averaged with those up to `frames` before and after it; beyond the ends the first
    and the last frame go on. 0 changes nothing."""
    if frames == 0:
        return faces
    time = faces.shape[-2]
    around = np.arange(time)[:, None] + np.arange(-frames, frames + 1)
    seen = faces[..., np.clip(around, 0, time - 1), :]
    return np.einsum("...tkc,k->...tc", seen, weights(frames))
