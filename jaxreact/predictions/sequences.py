"""Emotion of one clip, of whatever length: what is asked of every array of it."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.errors import UserError
from jaxreact.face import EMOTION_CHANNELS


def checked_emotion(
    name: str, values: ArrayLike, axes: tuple[str, ...]
) -> Float[np.ndarray, "*axes 25"]:
    """The values as float32, once they are known to be finite, to have these axes and 25 channels,
    and two frames or more.

    The last of `axes` are the frames. Raises `UserError` that begins with `name`.
    """
    array = np.asarray(values)
    fits = array.ndim == len(axes) + 1 and array.shape[-1] == EMOTION_CHANNELS
    if not fits or 0 in array.shape or array.shape[-2] < 2:
        expected = ", ".join((*axes, str(EMOTION_CHANNELS)))
        raise UserError(f"{name}: shape {array.shape}; expected ({expected}) with 2 frames or more")
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise UserError(f"{name}: {array.dtype} instead of numbers")
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, and named so
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        *sample, frame, channel = (int(index) for index in np.argwhere(~np.isfinite(array))[0])
        where = "".join(f"{axes[0].removesuffix('s')} {index}, " for index in sample)
        raise UserError(f"{name}: not finite in {where}frame {frame}, channel {channel}")
    return array
