"""The camera of the original: FaceVerse's pinhole camera, which every backend shares."""

from dataclasses import dataclass
from typing import TypeVar

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError

CAMERA_DISTANCE = 10.0
"""The camera stands at (0, 0, 10) in the world and looks at the origin."""

SIZE = 224
"""Side in pixels of the pictures that the original draws and its models see."""

FOCAL = 1315.0
"""Focal length in pixels of a picture of that size."""

Points = TypeVar("Points", np.ndarray, jax.Array)


@dataclass(frozen=True)
class Camera:
    """A square pinhole camera on the +z axis; world x is image right, y up.

    `size`: side of the picture in pixels. `zoom` multiplies the focal length: 1 is the original's
    picture (a face fills it), less shows more around the face.
    Source: FaceVerse v2's projection, u = c + f X / (10 - Z), v = c - f Y / (10 - Z), with the
    origin at the corner of the top-left pixel, so pixel centres lie at + 0.5.
    """

    size: int = SIZE
    zoom: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UserError(f"size: a picture needs at least 1 pixel a side, got {self.size}")
        if not self.zoom > 0:
            raise UserError(f"zoom: must be positive, got {self.zoom}")

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return FOCAL * self.size / SIZE * self.zoom

    @property
    def centre(self) -> float:
        """Both coordinates of the principal point in pixels."""
        return self.size / 2

    def project(self, points: Float[Points, "*n 3"]) -> Float[Points, "*n 3"]:
        """World points to (u, v, depth): u right and v down in pixels, depth in world units.

        NumPy arrays give NumPy's, JAX arrays JAX's.
        """
        depth = CAMERA_DISTANCE - points[..., 2]
        u = self.centre + self.focal * points[..., 0] / depth
        v = self.centre - self.focal * points[..., 1] / depth
        return points.__array_namespace__().stack([u, v, depth], axis=-1)

    def homogeneous(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """World points to float64 (x, y, w): u = centre + x / w, v = centre + y / w, depth w."""
        scale = np.array([self.focal, -self.focal, -1.0])
        return points * scale + np.array([0.0, 0.0, CAMERA_DISTANCE])

    def views(self) -> Float[np.ndarray, "size size 3"]:
        """Unit vectors of the world from the middle of each pixel's view towards the camera."""
        v, u = np.mgrid[: self.size, : self.size] + 0.5
        x, y = (u - self.centre) / self.focal, (self.centre - v) / self.focal
        towards = np.stack([-x, -y, np.ones_like(x)], axis=-1)
        return (towards / np.linalg.norm(towards, axis=-1, keepdims=True)).astype(np.float32)
