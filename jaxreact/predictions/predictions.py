"""What predictions are: reactions to the clips of a split, and what they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS


@dataclass(frozen=True)
class Predictions:
    """K reactions to each of N clips, T frames long (25 a second).

    emotion (N, K, T, 25); coeffs (N, K, T, 58) raw; listener and speaker (N, T, 25), the emotion
    of the recorded persons; clips (N,) the speakers' clip names; made_with a JSON text that says
    which models, data and options made them. Other programs' predictions may be emotion alone.

    Raises `UserError` for shapes that do not fit each other and for values that are not finite,
    naming clip, sample and frame.
    """

    emotion: Float[np.ndarray, "..."]  # the shapes are checked below, with messages for users
    coeffs: Float[np.ndarray, "..."] | None = None
    listener: Float[np.ndarray, "..."] | None = None
    speaker: Float[np.ndarray, "..."] | None = None
    clips: tuple[str, ...] | None = None
    made_with: str | None = None

    def __post_init__(self):
        _check_emotion(self.emotion)
        clips, samples, frames, _ = self.emotion.shape
        expected = {
            "coeffs": (clips, samples, frames, COEFFS),
            "listener": (clips, frames, EMOTION_CHANNELS),
            "speaker": (clips, frames, EMOTION_CHANNELS),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise UserError(
                    f"{name}: shape {array.shape} does not fit emotion of shape "
                    f"{self.emotion.shape}; expected {shape}"
                )
        if self.clips is not None and len(self.clips) != clips:
            raise UserError(f"clips: {len(self.clips)} names for {clips} clips")
        for name in ("emotion", *expected):
            array = getattr(self, name)
            if array is not None:
                check_finite(name, array, self.clips)


def _check_emotion(array: np.ndarray) -> None:
    if array.ndim != 4 or array.shape[-1] != EMOTION_CHANNELS or 0 in array.shape:
        raise UserError(
            f"emotion: shape {array.shape}; expected (clips, samples, frames, {EMOTION_CHANNELS})"
        )


def check_finite(name: str, array: np.ndarray, clips: Sequence[str] | None = None) -> None:
    """Raises `UserError` for the first value that is not finite, naming where it stands.

    `array` is (N, T, channels) or (N, K, T, channels). One clip is looked at at a time, so that an
    array that is mapped is never in memory as a whole.
    """
    for clip, values in enumerate(array):
        finite = np.isfinite(values)
        if finite.all():
            continue
        *sample, frame, channel = (int(index) for index in np.argwhere(~finite)[0])
        named = f"clip {clip}" + (f" ({clips[clip]})" if clips is not None else "")
        where = ", ".join([named, *(f"sample {index}" for index in sample)])
        value = values[(*sample, frame, channel)]
        raise UserError(
            f"{name}: {value} in {where}, frame {frame}, channel {channel}; every value must be "
            "finite"
        )
