"""Head models: from face coefficients to the vertices of a mesh in the world."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import UserError
from jaxreact.face import (
    COEFFS,
    EXPRESSION,
    INDEX,
    NEUTRAL_ROTATION,
    ROTATION,
    TRANSLATION,
)


@dataclass(frozen=True, eq=False)
class HeadModel:
    """A mesh whose shape is linear in the 52 expression weights.

    Positions are in the model space of `jaxreact.face` (x to the person's left, y down, z
    backwards); brows lie near y = -0.35 and the chin near y = 0.48, as in FaceVerse v2.

    - `neutral`: the shape at rest. `units`: what each unit adds at weight 1, in the order of
      `face.EXPRESSIONS`.
    - `faces`: triangles, counter-clockwise seen from outside.
    - `colors`: sRGB albedo in [0, 1]. `gloss`: strength of the highlight in [0, 1].
    - `grip`: how much of the head's rotation a vertex follows: 1 on the head, 0 on the shoulders,
      which stay upright. `pivot` is the point of the neck where the two meet. A model without
      shoulders (FaceVerse) has grip 1 everywhere.
    - `lips_need_jaw`: whether mouthClose counts no further than jawOpen. It undoes what jawOpen
      does to the lips; alone it would pull them over the nose.
    """

    neutral: Float[np.ndarray, "vertices 3"]
    units: Float[np.ndarray, "52 vertices 3"]
    faces: Int[np.ndarray, "triangles 3"]
    colors: Float[np.ndarray, "vertices 3"]
    gloss: Float[np.ndarray, " vertices"]
    grip: Float[np.ndarray, " vertices"]
    pivot: Float[np.ndarray, " 3"]
    lips_need_jaw: bool = False

    def vertices(
        self, coeffs: Float[np.ndarray, "time 58"]
    ) -> Float[np.ndarray, "time vertices 3"]:
        """World positions (x image right, y up, z towards the camera) for raw coefficients.

        Where grip is 1: v' = R v + t with R = Rz(c) Ry(b) Rx(a) (FaceVerse v2). Memory grows
        with time: give long clips in chunks. Raises `UserError` for a wrong shape or a NaN.
        """
        coeffs = check_coeffs(coeffs)
        count = len(self.neutral)
        flat = self._weights(coeffs) @ self.units.reshape(52, 3 * count)
        shape = flat.reshape(len(coeffs), count, 3) + self.neutral
        rotation = rotation_matrices(coeffs[:, ROTATION])
        translation = coeffs[:, None, TRANSLATION]
        head = shape @ rotation.swapaxes(1, 2) + translation
        body = self.grip < 1
        if body.any():
            joint = self.pivot @ rotation.swapaxes(1, 2) + translation[:, 0]
            upright = rotation_matrices(np.array([NEUTRAL_ROTATION], np.float32))[0]
            shoulders = (shape[:, body] - self.pivot) @ upright.T + joint[:, None]
            grip = self.grip[body, None]
            head[:, body] = grip * head[:, body] + (1 - grip) * shoulders
        return head

    def _weights(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 52"]:
        weights = coeffs[:, EXPRESSION]
        if self.lips_need_jaw:
            weights = weights.copy()
            close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
            weights[:, close] = np.minimum(weights[:, close], np.maximum(weights[:, jaw], 0))
        return weights

    def with_identity(self, offset: Float[np.ndarray, "vertices 3"]) -> "HeadModel":
        """The same head with another person's shape: `offset` (model space) moves `neutral`."""
        if offset.shape != self.neutral.shape:
            raise UserError(f"identity: shape {offset.shape}, this head needs {self.neutral.shape}")
        return replace(self, neutral=(self.neutral + offset).astype(np.float32))


def check_coeffs(coeffs: Float[np.ndarray, "time 58"], first: int = 0) -> np.ndarray:
    """`coeffs` as float32; raises `UserError` for a wrong shape or, naming the frame, a NaN.

    `first` is the number of the first frame given, for the message.
    """
    coeffs = np.asarray(coeffs, np.float32)
    if coeffs.ndim != 2 or coeffs.shape[1] != COEFFS:
        raise UserError(f"coefficients: expected (time, {COEFFS}), got {coeffs.shape}")
    bad = np.flatnonzero(~np.isfinite(coeffs).all(axis=1))
    if bad.size:
        raise UserError(f"coefficients: frame {first + bad[0]} holds a value that is not finite")
    return coeffs


def rotation_matrices(angles: Float[np.ndarray, "time 3"]) -> Float[np.ndarray, "time 3 3"]:
    """R = Rz(c) Ry(b) Rx(a) for angles (a, b, c) in radians, right-handed, column vectors."""
    (sa, sb, sc), (ca, cb, cc) = np.sin(angles.T), np.cos(angles.T)
    rows = [
        [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa],
        [sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa],
        [-sb, cb * sa, cb * ca],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2).astype(np.float32)


@cache
def load_builtin_head() -> HeadModel:
    """The head that ships with this package (CC0 data, see `assets/README.md`), loaded once."""
    asset = resources.files("jaxreact.rendering") / "assets" / "head.npz"
    with asset.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return _unpack(arrays)


def _unpack(arrays: Mapping[str, np.ndarray]) -> HeadModel:
    """Undoes the packing of `tools/build_head.py`: units are sparse and quantised to int16."""
    neutral = arrays["neutral"].astype(np.float32)
    units = np.zeros((52, len(neutral), 3), np.float32)
    starts = arrays["unit_start"]
    for unit, (start, end) in enumerate(itertools.pairwise(starts)):
        steps = arrays["unit_delta"][start:end].astype(np.float32)
        units[unit, arrays["unit_vertex"][start:end]] = steps * arrays["unit_step"][unit]
    return HeadModel(
        neutral=neutral,
        units=units,
        faces=arrays["faces"].astype(np.int32),
        colors=arrays["colors"].astype(np.float32) / 255,
        gloss=arrays["gloss"].astype(np.float32) / 255,
        grip=arrays["grip"].astype(np.float32) / 255,
        pivot=arrays["pivot"].astype(np.float32),
        lips_need_jaw=True,
    )
