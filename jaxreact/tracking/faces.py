"""The faces of a video's pictures, one after the other: of an hour 30 MB."""

from array import array

import numpy as np
from jaxtyping import Float

from jaxreact.face import EXPRESSIONS
from jaxreact.tracking.landmarker import Detection


class Faces:
    """What was detected, in order. In single precision, which is all that MediaPipe gives."""

    def __init__(self) -> None:
        self._expressions, self._matrices, self._sides = array("f"), array("f"), array("d")

    def __len__(self) -> int:
        return len(self._sides)

    def append(self, face: Detection) -> None:
        """One more."""
        self._expressions.extend(face.expressions.tolist())
        self._matrices.extend(face.matrix.ravel().tolist())
        self._sides.append(face.box.side)

    @property
    def expressions(self) -> Float[np.ndarray, "faces 52"]:
        """Weights of `face.EXPRESSIONS`."""
        return np.array(self._expressions, np.float64).reshape(-1, len(EXPRESSIONS))

    @property
    def matrices(self) -> Float[np.ndarray, "faces 4 4"]:
        """MediaPipe's pose matrices (cm)."""
        return np.array(self._matrices, np.float64).reshape(-1, 4, 4)

    @property
    def side(self) -> float:
        """The median side of a face, brow to chin, in pixels; there must be one."""
        return float(np.median(self._sides))
