"""The two vectors this project speaks in: 58 face coefficients and 25 emotion channels.

**Coefficients** `(..., 58)`, 25 frames a second: 52 expression weights, 3 rotations and 3
translations. *Raw* means as in the data set's `3D_FV_files`; *mean-subtracted* means raw minus
`mean_face` (58,), which is what the models take and give.

- Expression weights are FaceVerse v2's ARKit-like units, about [0, 1] raw, never negative in raw
  files. "Left" and "Right" are the person's own.
- Rotation (a, b, c) in radians: R = Rz(c) Ry(b) Rx(a), v' = R v + t. Model space is x to the
  person's left, y down, z backwards, so an upright face that looks at the camera has a = pi.
  In the world (x image right, y up, z towards the camera, camera at z = 10):
  a > pi bows the head (chin to chest), b > 0 turns the face to image right (the person's own left),
  c > 0 turns the picture counter-clockwise (towards the person's right shoulder).
- Translation is in model units (a head is about 1.4 high); a face fills a 224-pixel picture at
  z about 1.84.

**Emotion** `(..., 25)`: 15 action units (occurrence, 0/1), valence and arousal in [-1, 1], and 8
expression probabilities.
"""

import math

import numpy as np
from jaxtyping import Float

FPS = 25
"""Frames per second of every coefficient and emotion sequence."""

EXPRESSIONS = (
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
INDEX = {name: index for index, name in enumerate(EXPRESSIONS)}
"""Position of an expression unit in the 58-vector."""

EXPRESSION = slice(0, 52)
ROTATION = slice(52, 55)
TRANSLATION = slice(55, 58)
PITCH, YAW, ROLL = 52, 53, 54
COEFFS = 58

COEFF_NAMES = (
    *EXPRESSIONS,
    *("rotation_x", "rotation_y", "rotation_z"),
    *("translation_x", "translation_y", "translation_z"),
)
"""Of all coefficients, in their order."""

NEUTRAL_ROTATION = (math.pi, 0.0, 0.0)
NEUTRAL_TRANSLATION = (0.0, 0.0, 1.84)
"""An upright face in the middle of the picture, looking at the camera."""


def degrees_from_upright(
    coeffs: Float[np.ndarray, "*batch 58"], column: int
) -> Float[np.ndarray, "*batch"]:
    """By how much an angle of raw coefficients, `PITCH`, `YAW` or `ROLL`, is not an upright face's.

    In degrees in [-180, 180): more pitch bows the head, more yaw turns it to the person's left,
    more roll leans it to the person's right.
    """
    neutral = NEUTRAL_ROTATION[column - ROTATION.start]
    return np.asarray((np.rad2deg(coeffs[..., column] - neutral) + 180) % 360 - 180)


ACTION_UNIT_NAMES = (
    "AU1",
    "AU2",
    "AU4",
    "AU6",
    "AU7",
    "AU9",
    "AU10",
    "AU12",
    "AU14",
    "AU15",
    "AU17",
    "AU23",
    "AU24",
    "AU25",
    "AU26",
)
EXPRESSION_NAMES = (
    "Neutral",
    "Happy",
    "Sad",
    "Surprise",
    "Fear",
    "Disgust",
    "Anger",
    "Contempt",
)
EMOTIONS = (*ACTION_UNIT_NAMES, "valence", "arousal", *EXPRESSION_NAMES)
"""Names of the 25 emotion channels, the header of the data set's emotion CSVs."""

ACTION_UNITS = slice(0, 15)
VALENCE_AROUSAL = slice(15, 17)
EMOTION_PROBABILITIES = slice(17, 25)
EMOTION_CHANNELS = 25
