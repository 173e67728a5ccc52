"""Rows of one frame rate as rows of another: where a data set's rate meets the models' 25.

Frame k stands at k / rate seconds. What lies between two frames is interpolated linearly, angles by
the shorter way; action units, which are there or not, are those of the nearer frame. Behind the
last frame it goes on. Rows that have the wanted rate and number already are returned as they are.
"""

import numpy as np
from jaxtyping import Float

from jaxreact.face import ACTION_UNITS, FPS, ROTATION

_ROUNDING = 1e-9


def frames_at(frames: int, rate: float, other: float = FPS) -> int:
    """How many frames of `other` a second there are from the first to the last of `frames`."""
    return int((frames - 1) * other / rate + _ROUNDING) + 1 if frames else 0


def coeffs_at(
    coeffs: Float[np.ndarray, "*batch frames 58"],
    rate: float,
    other: float = FPS,
    frames: int | None = None,
) -> Float[np.ndarray, "*batch other 58"]:
    """Face coefficients, in the same type; `frames` of them, by default as `frames_at` has it."""
    frames = frames_at(coeffs.shape[-2], rate, other) if frames is None else frames
    if rate == other and frames == coeffs.shape[-2]:
        return coeffs
    angles = np.unwrap(coeffs[..., ROTATION].astype(np.float64), axis=-2)
    unwrapped = np.concatenate(
        [coeffs[..., : ROTATION.start], angles, coeffs[..., ROTATION.stop :]], axis=-1
    )
    return _linear(unwrapped, rate / other, frames).astype(coeffs.dtype)


def emotion_at(
    emotion: Float[np.ndarray, "*batch frames 25"],
    rate: float,
    other: float = FPS,
    frames: int | None = None,
) -> Float[np.ndarray, "*batch other 25"]:
    """Emotion channels, in the same type; `frames` of them, by default as `frames_at` has it."""
    frames = frames_at(emotion.shape[-2], rate, other) if frames is None else frames
    if rate == other and frames == emotion.shape[-2]:
        return emotion
    made = _linear(emotion, rate / other, frames).astype(emotion.dtype)
    nearest = np.floor(_places(emotion.shape[-2], rate / other, frames) + 0.5).astype(int)
    made[..., ACTION_UNITS] = emotion[..., nearest, ACTION_UNITS]
    return made


def _places(given: int, stride: float, frames: int) -> Float[np.ndarray, "frames"]:
    """Where each frame stands among those that are given, the last of which goes on."""
    return np.minimum(np.arange(frames) * stride, given - 1)


def _linear(rows: np.ndarray, stride: float, frames: int) -> np.ndarray:
    places = _places(rows.shape[-2], stride, frames)
    before = np.minimum(places.astype(int), rows.shape[-2] - 1)
    after = np.minimum(before + 1, rows.shape[-2] - 1)
    share = (places - before)[:, None]
    return rows[..., before, :] * (1 - share) + rows[..., after, :] * share
