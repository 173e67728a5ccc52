"""What a head model is: from face coefficients to the vertices of a mesh in the world."""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EXPRESSION, INDEX, NEUTRAL_ROTATION, ROTATION, TRANSLATION
from jaxreact.rendering.heads.pose import place, rotate, rotation_matrices

SHORTEST = 32
"""Frames that are computed at least; from there on, a power of two."""

Shoulders = tuple[jax.Array, jax.Array]
"""Grip and pivot of a head that has shoulders."""


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
        self, coeffs: Float[np.ndarray | jax.Array, "time 58"]
    ) -> Float[jax.Array, "time vertices 3"]:
        """World positions (x image right, y up, z towards the camera) for raw coefficients.

        Where grip is 1: v' = R v + t with R = Rz(c) Ry(b) Rx(a) (FaceVerse v2). The array lies on
        the default device. Memory grows with time: give long clips in chunks. Raises `UserError`
        for a wrong shape or a NaN.
        """
        coeffs = check_coeffs(np.asarray(coeffs))
        frames = len(coeffs)
        filled = np.zeros((_length(frames), COEFFS), np.float32)
        filled[:frames] = coeffs
        world = _world(*self._on_device, filled, lips_need_jaw=self.lips_need_jaw)
        return world if len(world) == frames else world[:frames]

    @cached_property
    def _on_device(self) -> tuple[jax.Array, jax.Array, Shoulders | None]:
        """Shape at rest, units as a matrix (52, 3 vertices), and the shoulders if there are any."""
        shoulders = None
        if (self.grip < 1).any():
            shoulders = (jnp.asarray(self.grip), jnp.asarray(self.pivot))
        return jnp.asarray(self.neutral), jnp.asarray(self.units.reshape(52, -1)), shoulders

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


def _length(frames: int) -> int:
    """Frames to compute for so many: compiling for another length takes as long as hundreds of
    frames, so there are few lengths."""
    return max(SHORTEST, 1 << max(frames - 1, 0).bit_length())


@partial(jax.jit, static_argnames="lips_need_jaw")
def _world(
    neutral: Float[jax.Array, "vertices 3"],
    units: Float[jax.Array, "52 coordinates"],
    shoulders: Shoulders | None,
    coeffs: Float[jax.Array, "time 58"],
    *,
    lips_need_jaw: bool,
) -> Float[jax.Array, "time vertices 3"]:
    weights = coeffs[:, EXPRESSION]
    if lips_need_jaw:
        close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
        most = jnp.maximum(weights[:, jaw], 0)
        weights = weights.at[:, close].min(most)
    moved = jnp.matmul(weights, units, precision=jax.lax.Precision.HIGHEST)
    shape = moved.reshape(-1, *neutral.shape) + neutral
    rotation, translation = coeffs[:, ROTATION], coeffs[:, TRANSLATION]
    head = place(shape, rotation, translation)
    if shoulders is None:
        return head
    grip, pivot = shoulders
    joint = place(pivot[None], rotation, translation)
    upright = rotation_matrices(jnp.array(NEUTRAL_ROTATION))
    body = rotate(shape - pivot, upright) + joint
    return grip[:, None] * head + (1 - grip[:, None]) * body
