"""Meshes for comparing rasterisers: each is (vertices (time, n, 3) in the world, faces, size).

They stand between the camera's (0, 0, 10) and the origin; a picture shows about 1.7 world units.
"""

from dataclasses import dataclass

import numpy as np

from jaxreact.face import COEFFS, INDEX, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
from jaxreact.rendering import load_builtin_head


@dataclass(frozen=True, eq=False)
class Scene:
    vertices: np.ndarray
    faces: np.ndarray
    size: int

    @property
    def colors(self) -> np.ndarray:
        return np.full(self.vertices.shape[1:], 0.5, np.float32)

    @property
    def gloss(self) -> np.ndarray:
        return np.zeros(self.vertices.shape[1], np.float32)


def small_scenes() -> dict[str, Scene]:
    """What PyTorch3D draws within seconds on a processor."""
    rng = np.random.RandomState(5)  # NumPy promises the same numbers for ever
    return {
        "sphere_48": _moved(rng, *_sphere(2), frames=4, size=48),
        "sphere_224": _moved(rng, *_sphere(1), frames=1, size=224),
        "edge_on_64": _edge_on(),
        "interpenetrating_64": _soup(rng, triangles=40, spread=0.5, frames=3, size=64),
        "confetti_33": _soup(rng, triangles=400, spread=0.05, frames=2, size=33),
        "through_the_camera_32": _through_the_camera(rng),
        "head_40": _head(40),
    }


def large_scenes() -> dict[str, Scene]:
    """Half a minute each."""
    return {"head_224": _head(224)}


def _sphere(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """An octahedron (faces counter-clockwise from outside) whose triangles are cut into four."""
    points = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], float)
    a, b, c, d, e, f = range(6)
    faces = [[a, b, c], [b, d, c], [d, e, c], [e, a, c], [b, a, f], [d, b, f], [e, d, f], [a, e, f]]
    for _ in range(subdivisions):
        edges = {}
        smaller = []
        for one, two, three in faces:
            middles = []
            for ends in ((one, two), (two, three), (three, one)):
                key = tuple(sorted(ends))
                if key not in edges:
                    edges[key] = len(points)
                    points = np.vstack([points, points[list(key)].mean(axis=0)])
                middles.append(edges[key])
            x, y, z = middles
            smaller += [[one, x, z], [two, y, x], [three, z, y], [x, y, z]]
        faces = smaller
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, np.array(faces, np.int32)


def _turn(rng: np.random.RandomState) -> np.ndarray:
    """A random rotation (3, 3)."""
    x, other = rng.normal(size=(2, 3))
    x /= np.linalg.norm(x)
    z = np.cross(x, other)
    z /= np.linalg.norm(z)
    return np.stack([x, np.cross(z, x), z])


def _moved(
    rng: np.random.RandomState, points: np.ndarray, faces: np.ndarray, frames: int, size: int
) -> Scene:
    """Random sizes, turns and places, partly outside the picture."""
    vertices = [
        rng.uniform(0.3, 0.9) * points @ _turn(rng).T + rng.uniform(-0.4, 0.4, 3)
        for _ in range(frames)
    ]
    return Scene(np.stack(vertices).astype(np.float32), faces, size)


def _edge_on() -> Scene:
    """A plane of 6 x 6 squares, seen ever closer to its edge."""
    v, u = np.mgrid[:7, :7] / 6 - 0.5
    plane = np.stack([u, v, np.zeros_like(u)], axis=-1).reshape(-1, 3)
    corner = (np.arange(6)[:, None] * 7 + np.arange(6)).reshape(-1)
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + 8], axis=1),
            np.stack([corner, corner + 8, corner + 7], axis=1),
        ]
    )
    frames = []
    for degrees in (30, 80, 88, 89.9, 90, 91):
        angle = np.deg2rad(degrees)
        turned = plane @ np.array(
            [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
        )
        frames.append(turned + np.array([0.013, 0.007, 1]))
    return Scene(np.stack(frames).astype(np.float32), faces.astype(np.int32), 64)


def _soup(
    rng: np.random.RandomState, triangles: int, spread: float, frames: int, size: int
) -> Scene:
    """Triangles anywhere, of either winding, through each other."""
    middles = rng.uniform(-0.7, 0.7, (frames, triangles, 1, 3))
    corners = middles + rng.normal(0, spread, (frames, triangles, 3, 3))
    faces = np.arange(3 * triangles, dtype=np.int32).reshape(-1, 3)
    return Scene(corners.reshape(frames, -1, 3).astype(np.float32), faces, size)


def _through_the_camera(rng: np.random.RandomState) -> Scene:
    """Triangles in front of the camera, behind it, and through its plane."""
    corners = rng.normal(0, 1, (2, 30, 3, 3)) * (0.5, 0.5, 6) + (0, 0, 8)
    faces = np.arange(90, dtype=np.int32).reshape(-1, 3)
    return Scene(corners.reshape(2, -1, 3).astype(np.float32), faces, 32)


def _head(size: int) -> Scene:
    """The built-in head: at rest, turned with an open mouth, bowed with a smile and a blink."""
    coeffs = np.zeros((3, COEFFS), np.float32)
    coeffs[:, 52:] = (*NEUTRAL_ROTATION, *NEUTRAL_TRANSLATION)
    coeffs[1, [53, INDEX["jawOpen"]]] = 0.5, 0.7
    coeffs[2, 52:55] += (0.3, -0.4, 0.2)
    smile = [
        INDEX[f"{unit}{side}"] for unit in ("mouthSmile", "eyeBlink") for side in ("Left", "Right")
    ]
    coeffs[2, smile] = 1
    head = load_builtin_head()
    return Scene(np.asarray(head.vertices(coeffs)), np.asarray(head.faces), size)
