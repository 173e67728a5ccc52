"""MediaPipe's pose matrix in the terms of the 58-vector.

MediaPipe places its canonical face (x to the person's left, y up, z out of the face, centimetres)
before a camera at the origin that looks along -z with a vertical field of view of 63 degrees. The
data set's fits see a fixed crop around the face through a very narrow lens instead (camera at
z = 10 of model space, focal length 1315 px on 224 px).

- *Rotation* is taken as it is: it was fitted to landmarks that are themselves without perspective,
  and stays within 0.1 rad of fitting those directly even for a face 20 degrees off the axis
  (measured; turning it by the ray to the face as well would be wrong by 0.25 rad there).
- *Translation.* The crop is fixed for a whole clip, at the face's median place and size, so that
  the median face is exactly the neutral one of `face.NEUTRAL_TRANSLATION`. With d the depth in cm
  and m its median, the head keeps its apparent size when 10 - z = (10 - 1.84) d / m, and its
  apparent place in the crop when x = (p - median p) d / CM_PER_UNIT, p = X / d being the tangent
  under which the wide camera sees it.
"""

import numpy as np
from jaxtyping import Float

from jaxreact.face import NEUTRAL_TRANSLATION
from jaxreact.rendering.camera import CAMERA_DISTANCE

CM_PER_UNIT = 17.5
"""Model unit in cm: brow to chin is 14.5 cm in MediaPipe's canonical face, 0.83 in FaceVerse's."""

VERTICAL_FOV = np.radians(63.0)
"""Field of view that MediaPipe assumes for every picture (its default camera)."""

_MODEL_TO_CANONICAL = np.diag([1.0, -1.0, -1.0])  # y down and z backwards -> y up and z forwards


def rotations(matrices: Float[np.ndarray, "time 4 4"]) -> Float[np.ndarray, "time 3"]:
    """Angles (a, b, c) in radians with R = Rz(c) Ry(b) Rx(a), as in `jaxreact.face`.

    `matrices` are MediaPipe's facial transformation matrices (cm). a is within pi of pi, so an
    upright face that looks at the camera has a = pi; b is in [-pi/2, pi/2], c in [-pi, pi]. They
    are not unwrapped over time.
    """
    r = _orthonormal(matrices[:, :3, :3]) @ _MODEL_TO_CANONICAL
    a = np.arctan2(r[:, 2, 1], r[:, 2, 2]) % (2 * np.pi)
    b = -np.arcsin(np.clip(r[:, 2, 0], -1.0, 1.0))
    c = np.arctan2(r[:, 1, 0], r[:, 0, 0])
    return np.stack([a, b, c], axis=1)


def translations(matrices: Float[np.ndarray, "time 4 4"]) -> Float[np.ndarray, "time 3"]:
    """Model-space translations (x right, y up, z to the camera), the median face being neutral."""
    places = seen(matrices)
    return translations_of(places, np.median(places, axis=0))


def seen(matrices: Float[np.ndarray, "time 4 4"]) -> Float[np.ndarray, "time 3"]:
    """Where the camera sees the head: tangents to the right and up, and the depth in cm."""
    depth = -matrices[:, 2, 3:4]
    return np.concatenate([matrices[:, :2, 3] / depth, depth], axis=1)


def translations_of(
    places: Float[np.ndarray, "time 3"], usual: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "time 3"]:
    """Model-space translations of what `seen` gives, a face at the `usual` place being neutral."""
    depth = places[:, 2]
    neutral = np.array(NEUTRAL_TRANSLATION)
    xy = (places[:, :2] - usual[:2]) * depth[:, None] / CM_PER_UNIT + neutral[:2]
    z = CAMERA_DISTANCE - (CAMERA_DISTANCE - neutral[2]) * depth / usual[2]
    return np.column_stack([xy, z])


def face_centre(
    matrices: Float[np.ndarray, "time 4 4"], width: int, height: int
) -> tuple[float, float]:
    """The face's median place in the picture: (x, y) as fractions of width and height."""
    tangent = np.median(matrices[:, :2, 3] / -matrices[:, 2:3, 3], axis=0)
    scale = 0.5 / np.tan(VERTICAL_FOV / 2)  # fractions of the height
    return float(0.5 + tangent[0] * scale * height / width), float(0.5 - tangent[1] * scale)


def _orthonormal(matrices: np.ndarray) -> np.ndarray:
    """The nearest rotations: removes the scale that MediaPipe may leave in the matrix."""
    u, _, v = np.linalg.svd(matrices.astype(np.float64))
    return u @ v
