"""Where a head is, in the terms of other programs.

Their axes are those of ARKit, glTF, BVH and FLAME alike: x to the person's left, y up, z out of the
face. A head that is upright and looks straight ahead is turned by nothing.
"""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from jaxreact.face import NEUTRAL_ROTATION, NEUTRAL_TRANSLATION, ROTATION, TRANSLATION
from jaxreact.tracking.pose import CM_PER_UNIT

METRES = CM_PER_UNIT / 100
"""Of a unit of the model space."""

AXES = np.array([1.0, -1.0, -1.0])
"""Turns the model space's axes (y down, z backwards) into theirs."""


def angles(coeffs: Float[np.ndarray, "frames 58"]) -> Float[np.ndarray, "frames 3"]:
    """Angles about x, y and z (radians) with R = Rz Ry Rx: down, to the person's own left, and
    towards the person's own right shoulder. They are unwrapped as the coefficients are."""
    return coeffs[:, ROTATION].astype(np.float64) - NEUTRAL_ROTATION


def rotations(coeffs: Float[np.ndarray, "frames 58"]) -> Rotation:
    """The same as rotations."""
    return Rotation.from_euler("xyz", angles(coeffs))  # about axes that stand still, x first


def quaternions(coeffs: Float[np.ndarray, "frames 58"]) -> Float[np.ndarray, "frames 4"]:
    """The same as unit quaternions (x, y, z, w), w first positive, and each as near to the one
    before as can be: q and -q are one rotation, but between them programs turn the long way."""
    made = rotations(coeffs).as_quat()
    flips = np.einsum("ij,ij->i", made[1:], made[:-1]) < 0
    signs = np.cumprod(np.where(flips, -1.0, 1.0))
    made[1:] *= signs[:, None]
    return made * (-1.0 if made[0, 3] < 0 else 1.0)


def translations(coeffs: Float[np.ndarray, "frames 58"]) -> Float[np.ndarray, "frames 3"]:
    """How far the head is from a face in the middle of the picture, in metres."""
    moved = coeffs[:, TRANSLATION].astype(np.float64) - NEUTRAL_TRANSLATION
    return moved * METRES
