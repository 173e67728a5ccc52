"""Pictures without any graphics driver: primary rays cast by Embree.

Embree's mesh constructor copies element by element in Python, with the interpreter's lock held;
rows as tuples make that four times faster than an integer array, and it is the only part of a
frame that threads cannot overlap (measured in `benchmarks/rendering.py`).
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Float, Int, UInt8

from jaxreact.rendering import shade
from jaxreact.rendering.camera import DISTANCE, Camera
from jaxreact.rendering.heads import HeadModel

Shading = Literal["smooth", "flat"]
SUBPIXELS = ((0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875))
"""Where the four rays of an anti-aliased pixel go (a rotated grid)."""

EDGE = 11
"""Contrast to a neighbouring pixel, in 8-bit grey, from which a pixel is anti-aliased."""


class CpuRenderer:
    """Draws one head with one camera and one shading; frames go to a pool of threads."""

    def __init__(self, head: HeadModel, camera: Camera, shading: Shading) -> None:
        self.head, self.camera, self.shading = head, camera, shading
        self._rows = np.empty(len(head.faces), object)
        self._rows[:] = [tuple(row) for row in head.faces.tolist()]
        self._surface = np.column_stack([shade.to_linear(head.colors), head.gloss])
        self._backdrop = shade.backdrop(camera.size).reshape(-1, 3)
        index = np.arange(camera.size**2)
        self._v, self._u = (x.astype(np.float32) for x in divmod(index, camera.size))

    def frames(
        self, vertices: Float[np.ndarray, "time vertices 3"]
    ) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Yields an RGB picture for each frame of world positions, in order."""
        draw = self._flat if self.shading == "flat" else self._smooth
        workers = min(len(vertices), os.cpu_count() or 1)
        with ThreadPoolExecutor(max(workers, 1)) as pool:
            yield from pool.map(draw, vertices)

    def _flat(self, vertices: Float[np.ndarray, "vertices 3"]) -> UInt8[np.ndarray, "size size 3"]:
        hits = self._cast(self._scene(vertices), self._u + 0.5, self._v + 0.5)
        triangle = hits["primID"]
        grey = np.append(shade.flat_grey(vertices, self.head.faces), 0.0)  # -1: nothing, black
        picture = grey[triangle].astype(np.uint8).reshape(self.camera.size, self.camera.size, 1)
        return np.repeat(picture, 3, axis=2)

    def _smooth(
        self, vertices: Float[np.ndarray, "vertices 3"]
    ) -> UInt8[np.ndarray, "size size 3"]:
        scene = self._scene(vertices)
        normals = shade.vertex_normals(vertices, self.head.faces)
        color = partial(self._color, scene, np.column_stack([normals, self._surface]))
        size = self.camera.size
        everywhere = np.arange(size * size)
        picture = color(everywhere, np.float32(0.5), np.float32(0.5))
        rough = _edges(shade.to_srgb(picture).reshape(size, size, 3))
        x, y = np.repeat(np.array(SUBPIXELS, np.float32), len(rough), axis=0).T
        several = color(np.tile(rough, len(SUBPIXELS)), x, y)
        picture[rough] = several.reshape(len(SUBPIXELS), len(rough), 3).mean(axis=0)
        return shade.to_srgb(picture).reshape(size, size, 3)

    def _scene(self, vertices: Float[np.ndarray, "vertices 3"]) -> EmbreeScene:
        scene = EmbreeScene()
        TriangleMesh(scene, vertices, self._rows)
        return scene

    def _cast(self, scene: EmbreeScene, u: np.ndarray, v: np.ndarray) -> dict[str, np.ndarray]:
        directions = self.camera.directions(u, v)
        origins = np.zeros_like(directions)
        origins[:, 2] = DISTANCE
        return scene.run(origins, directions, output=1)

    def _color(
        self,
        scene: EmbreeScene,
        attributes: Float[np.ndarray, "vertices 7"],
        pixels: Int[np.ndarray, " n"],
        x: np.ndarray | np.float32,
        y: np.ndarray | np.float32,
    ) -> Float[np.ndarray, "n 3"]:
        """Clipped linear RGB of rays through the points (x, y) inside the given pixels."""
        u, v = self._u[pixels] + x, self._v[pixels] + y
        hits = self._cast(scene, u, v)
        picture = self._backdrop[pixels]
        hit = np.flatnonzero(hits["primID"] >= 0)
        corners = np.take(self.head.faces, hits["primID"][hit], axis=0)
        second, third = hits["u"][hit, None], hits["v"][hit, None]
        values = np.take(attributes, corners[:, 0], axis=0) * (1 - second - third)
        values += np.take(attributes, corners[:, 1], axis=0) * second
        values += np.take(attributes, corners[:, 2], axis=0) * third
        normals = shade.unit(values[:, :3])
        views = shade.unit(-self.camera.directions(u[hit], v[hit]))
        picture[hit] = shade.portrait(normals, views, values[:, 3:6], values[:, 6])
        return np.minimum(picture, 1)


def _edges(picture: UInt8[np.ndarray, "size size 3"]) -> Int[np.ndarray, " n"]:
    """Flat indices of the pixels that differ visibly from a neighbour."""
    grey = picture.mean(axis=2, dtype=np.float32)
    rough = np.zeros(grey.shape, bool)
    across = np.abs(np.diff(grey, axis=1)) > EDGE
    down = np.abs(np.diff(grey, axis=0)) > EDGE
    rough[:, 1:] |= across
    rough[:, :-1] |= across
    rough[1:] |= down
    rough[:-1] |= down
    return np.flatnonzero(rough)
