"""Pictures without any graphics driver: our rasteriser, one frame a thread."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
from jaxtyping import Bool, Float, UInt8
from numba import njit

from jaxreact.rendering import shade
from jaxreact.rendering.backends import Shading, Surface
from jaxreact.rendering.backends.rasterizer import visible, weights
from jaxreact.rendering.camera import Camera

CENTRE = np.array([(0.5, 0.5)])
SUBPIXELS = np.array([(0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875)])
"""Where the four samples of an anti-aliased pixel lie (a rotated grid)."""

EDGE = 11
"""Contrast to a neighbouring pixel, in 8-bit grey, from which a pixel is anti-aliased."""


class CpuRenderer:
    """Draws one surface with one camera and one shading; frames go to a pool of threads."""

    def __init__(self, surface: Surface, camera: Camera, shading: Shading) -> None:
        self._camera = camera
        self._faces = np.array(surface.faces, np.int32, order="C")
        self._everywhere = np.ones((camera.size, camera.size), bool)
        if shading == "flat":
            self._draw = self._flat
            return
        self._draw = self._smooth
        albedo = shade.to_linear(np.asarray(surface.colors))
        self._surface = np.column_stack([albedo, surface.gloss]).astype(np.float32)
        self._backdrop = shade.backdrop(camera.size)
        self._views = camera.views()

    def frames(
        self, vertices: Float[np.ndarray | jax.Array, "time vertices 3"]
    ) -> Iterator[UInt8[np.ndarray, "size size 3"]]:
        """Yields an RGB picture for each frame of world positions, in order."""
        workers = min(len(vertices), os.cpu_count() or 1)
        with ThreadPoolExecutor(max(workers, 1)) as pool:
            yield from pool.map(self._draw, np.ascontiguousarray(vertices))

    def _flat(self, vertices: Float[np.ndarray, "vertices 3"]) -> UInt8[np.ndarray, "size size 3"]:
        points = self._camera.homogeneous(vertices)
        front = visible(points, self._faces, CENTRE, self._everywhere)[..., 0]
        return shade.flat_picture(vertices.astype(np.float64), self._faces, front)

    def _smooth(
        self, vertices: Float[np.ndarray, "vertices 3"]
    ) -> UInt8[np.ndarray, "size size 3"]:
        points = self._camera.homogeneous(vertices)
        normals = shade.vertex_normals(vertices.astype(np.float64), self._faces)
        values = np.column_stack([normals, self._surface])
        picture = self._backdrop.copy()
        self._light(picture, points, values, CENTRE, self._everywhere)
        self._light(picture, points, values, SUBPIXELS, _edges(shade.to_srgb(picture)))
        return shade.to_srgb(picture)

    def _light(
        self,
        picture: Float[np.ndarray, "size size 3"],
        points: Float[np.ndarray, "vertices 3"],
        values: Float[np.ndarray, "vertices 7"],
        samples: Float[np.ndarray, "samples 2"],
        shown: Bool[np.ndarray, "size size"],
    ) -> None:
        """Paints the wanted pixels of a picture, clipped linear RGB: the mean of their samples."""
        front = visible(points, self._faces, samples, shown)
        scene = points, self._faces, values, self._views, self._backdrop
        _paint(picture, front, samples, shown, *scene)


@njit(nogil=True, error_model="numpy")
def _paint(picture, front, samples, shown, points, faces, values, views, backdrop):
    """`CpuRenderer._light` where the triangles that each sample shows are known."""
    half = len(shown) / 2
    for v in range(front.shape[0]):
        for u in range(front.shape[1]):
            if not shown[v, u]:
                continue
            view = views[v, u, 0], views[v, u, 1], views[v, u, 2]
            red = green = blue = 0.0
            for sample in range(len(samples)):
                face = front[v, u, sample]
                r, g, b = backdrop[v, u, 0], backdrop[v, u, 1], backdrop[v, u, 2]
                if face >= 0:
                    x, y = u + samples[sample, 0] - half, v + samples[sample, 1] - half
                    share = weights(points, faces, face, x, y)
                    normal, albedo, gloss = _blend(values, faces, face, share)
                    r, g, b = shade.portrait(normal, view, albedo, gloss)
                red, green, blue = red + min(r, 1.0), green + min(g, 1.0), blue + min(b, 1.0)
            picture[v, u, 0] = red / len(samples)
            picture[v, u, 1] = green / len(samples)
            picture[v, u, 2] = blue / len(samples)


@njit(nogil=True, error_model="numpy")
def _blend(values, faces, face, share):
    """Normal (3), albedo (3) and gloss at a point of a triangle; its corners count `share`."""
    i, j, k = faces[face, 0], faces[face, 1], faces[face, 2]
    share_a, share_b, share_c = share
    nx = values[i, 0] * share_a + values[j, 0] * share_b + values[k, 0] * share_c
    ny = values[i, 1] * share_a + values[j, 1] * share_b + values[k, 1] * share_c
    nz = values[i, 2] * share_a + values[j, 2] * share_b + values[k, 2] * share_c
    red = values[i, 3] * share_a + values[j, 3] * share_b + values[k, 3] * share_c
    green = values[i, 4] * share_a + values[j, 4] * share_b + values[k, 4] * share_c
    blue = values[i, 5] * share_a + values[j, 5] * share_b + values[k, 5] * share_c
    gloss = values[i, 6] * share_a + values[j, 6] * share_b + values[k, 6] * share_c
    return (nx, ny, nz), (red, green, blue), gloss


def _edges(picture: UInt8[np.ndarray, "size size 3"]) -> Bool[np.ndarray, "size size"]:
    """The pixels that differ visibly from a neighbour."""
    red, green, blue = np.moveaxis(picture.astype(np.int16), 2, 0)
    total = red + green + blue
    rough = np.zeros(total.shape, bool)
    across = np.abs(np.diff(total, axis=1)) > 3 * EDGE
    down = np.abs(np.diff(total, axis=0)) > 3 * EDGE
    rough[:, 1:] |= across
    rough[:, :-1] |= across
    rough[1:] |= down
    rough[:-1] |= down
    return rough
