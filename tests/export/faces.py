"""Faces whose look is known, and what the files that hold them look like."""

import math

import numpy as np

from jaxreact.export.motion import Motion, motion_of
from jaxreact.face import INDEX, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION, PITCH, ROLL, YAW

HEADER = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,"
    "EyeLookUpLeft,EyeSquintLeft,EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,"
    "EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,JawLeft,"
    "JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,"
    "MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,"
    "MouthStretchLeft,MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,"
    "MouthShrugUpper,MouthPressLeft,MouthPressRight,MouthLowerDownLeft,MouthLowerDownRight,"
    "MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,BrowOuterUpLeft,"
    "BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,"
    "RightEyePitch,RightEyeRoll"
)
"""The first line of a recording of Live Link Face."""

TURN, NOD, LEAN = 0.4, 0.3, 0.2
"""Radians."""


def rest(frames: int = 1) -> np.ndarray:
    """Raw coefficients (frames, 58) of a face that does nothing."""
    coeffs = np.zeros((frames, 58), np.float32)
    coeffs[:, 52:55], coeffs[:, 55:] = NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
    return coeffs


def poses() -> Motion:
    """At second 0, 1 and 2: a wink of the left eye, the head turned to its own left; a nod down,
    the mouth half open; a lean to its own right shoulder, the eyes up and to its own right."""
    coeffs = rest(51)
    wink, nod, lean = coeffs[:20], coeffs[20:40], coeffs[40:]
    wink[:, INDEX["eyeBlinkLeft"]], wink[:, YAW] = 1, TURN
    nod[:, INDEX["jawOpen"]], nod[:, PITCH] = 0.5, math.pi + NOD
    lean[:, ROLL], lean[:, 55] = LEAN, 0.1
    for name in ("LookUpLeft", "LookUpRight", "LookInLeft", "LookOutRight"):
        lean[:, INDEX[f"eye{name}"]] = 0.5
    return motion_of(coeffs, title="poses")


def straight(axis: int) -> np.ndarray:
    """One of the axes of ARKit's head: to the person's left, up, out of the face."""
    return np.eye(3)[axis]
