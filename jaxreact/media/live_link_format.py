"""The csv files of Live Link Face, the app that records ARKit's face tracking on a phone.

A line of names, then a line a picture: a timecode, how many numbers follow (61, or 0 and none
where no face was seen), ARKit's 52 weights, and the yaw, pitch and roll of head and eyes. There is
no specification; what is said here was read from recordings that people have published.

- *Names* are ARKit's with a capital. Older versions of the app write `BlendShapeCount` and others
  put the right side before the left one, so that readers have to go by name.
- *Timecode* `HH:MM:SS:FF.fff`: the time of day; FF counts sixtieths of a second, of which fff are
  thousandths, also in recordings of 30 pictures a second, which count on by two.
- *Angles* are radians. Yaw is positive to the person's own right, pitch down: so are the eyes' of
  the recordings, to which the weights that go with them testify. The head's are 0 in all of them,
  as the app leaves them out unless it is told otherwise; they are taken for angles of the same
  kind, as programs that write such files do, and roll for positive towards the person's own left
  shoulder. Together: R = Rz(-roll) Ry(-yaw) Rx(pitch) in ARKit's axes (x to the person's left, y
  up, z out of the face).
- *Eyes* follow from the weights `eyeLook...`, so closely that writing them is a matter of form.
"""

import math
import re

import numpy as np
from jaxtyping import Float

from jaxreact.face import EXPRESSION, INDEX, NEUTRAL_ROTATION, ROTATION

_EYES = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")

UNITS = (
    *(f"eye{name}{side}" for side in ("Left", "Right") for name in _EYES),
    *("jawForward", "jawRight", "jawLeft", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", "tongueOut"),
)
"""ARKit's units as `face.EXPRESSIONS` has them, in the order of the columns."""

ORDER = np.array([INDEX[name] for name in UNITS])
"""Where each of them stands in the 58-vector."""

UNIT_COLUMNS = tuple(name[0].upper() + name[1:] for name in UNITS)
HEAD_COLUMNS = ("HeadYaw", "HeadPitch", "HeadRoll")
EYE_COLUMNS = tuple(
    f"{side}Eye{angle}" for side in ("Left", "Right") for angle in ("Yaw", "Pitch", "Roll")
)
VALUES = (*UNIT_COLUMNS, *HEAD_COLUMNS, *EYE_COLUMNS)
"""The 61 columns of numbers."""

COLUMNS = ("Timecode", "BlendshapeCount", *VALUES)

TICKS = 60
"""Frames a second that a timecode counts, whatever the recording's rate."""

EYE_RADIANS = {"In": 0.6, "Out": 0.75, "Up": 0.45, "Down": 0.65}
"""By how much an eye turns at weight 1 (radians), about, in recordings."""

_DAY = 24 * 3600
_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})[:;](\d{2}(?:\.\d+)?)")


def timecode(seconds: float) -> str:
    """A time of day (s, not negative) as such a file has it, to a thousandth of a tick."""
    whole = math.floor(seconds * TICKS * 1000 + 0.5)
    minutes, rest = divmod(whole, 60 * TICKS * 1000)
    second, part = divmod(rest, TICKS * 1000)
    tick, thousandths = divmod(part, 1000)
    hours = minutes // 60 % 24
    return f"{hours:02}:{minutes % 60:02}:{second:02}:{tick:02}.{thousandths:03}"


def seconds_of(text: str) -> float:
    """The time of day (s) that a timecode says. Raises ValueError for what is none."""
    found = _TIMECODE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no timecode HH:MM:SS:FF.fff")
    hours, minutes, seconds, ticks = map(float, found.groups())
    if hours > 23 or minutes > 59 or seconds > 59 or ticks >= TICKS:
        raise ValueError(f"{text!r} is no time of day with {TICKS} frames a second")
    return hours * 3600 + minutes * 60 + seconds + ticks / TICKS


def through_midnight(times: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "rows"]:
    """Times of day as times that go on behind midnight."""
    steps = np.diff(times, prepend=times[:1])
    return times + _DAY * np.cumsum(steps < -_DAY / 2)


def head_angles(coeffs: Float[np.ndarray, "frames 58"]) -> Float[np.ndarray, "frames 3"]:
    """Yaw, pitch and roll (radians, within pi) of the heads of raw coefficients."""
    a, b, c = coeffs[:, ROTATION].astype(np.float64).T
    angles = np.stack([-b, a - NEUTRAL_ROTATION[0], -c], axis=1)
    return angles - 2 * np.pi * np.floor((angles + np.pi) / (2 * np.pi))


def eye_angles(coeffs: Float[np.ndarray, "frames 58"]) -> Float[np.ndarray, "frames 6"]:
    """Yaw, pitch and roll (radians) of the left and the right eye by their weights; roll is 0."""

    def turned(way: str, side: str) -> np.ndarray:
        return EYE_RADIANS[way] * coeffs[:, INDEX[f"eyeLook{way}{side}"]].astype(np.float64)

    left = turned("In", "Left") - turned("Out", "Left")
    right = turned("Out", "Right") - turned("In", "Right")
    down = [turned("Down", side) - turned("Up", side) for side in ("Left", "Right")]
    still = np.zeros(len(coeffs))
    return np.stack([left, down[0], still, right, down[1], still], axis=1)


def to_values(coeffs: Float[np.ndarray, "frames 58"]) -> Float[np.ndarray, "frames 61"]:
    """The numbers of a file's lines for raw coefficients, whose translation it has no place for."""
    weights = coeffs[:, EXPRESSION][:, ORDER].astype(np.float64)
    return np.concatenate([weights, head_angles(coeffs), eye_angles(coeffs)], axis=1)


def from_values(
    units: Float[np.ndarray, "frames 52"], head: Float[np.ndarray, "frames 3"]
) -> Float[np.ndarray, "frames 55"]:
    """Weights in the order of `UNITS` and head angles -> the first 55 of the raw coefficients.

    Angles are not unwrapped over time.
    """
    made = np.empty((len(units), ROTATION.stop))
    made[:, ORDER] = units
    yaw, pitch, roll = head.T
    made[:, ROTATION] = np.stack([pitch + NEUTRAL_ROTATION[0], -yaw, -roll], axis=1)
    return made
