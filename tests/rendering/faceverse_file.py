"""A face mask in the format of FaceVerse v2's file, made up: no data of FaceVerse is in it.

    python -m tests.rendering.faceverse_file OUT.npy     # 28,632 vertices and 56,698 triangles

What is known of the released file is kept: keys, shapes, the model space (y down, about -0.5 to
0.5), a mask from ear to ear with a hole for the mouth, whose borders have 474 and 92 vertices,
norms of the axes of identity from 1.64 down to 0.07, and two triangles that wind the wrong way.
"""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact.face import EXPRESSIONS
from jaxreact.files import replacing

MOUTH = np.array([0.0, 0.235])
"""Middle of the mouth in the face's chart: longitude (radians) and y (model units)."""

Chart = np.ndarray
"""Points (n, 2) of the face's surface: longitude to the person's left, and y down."""


@dataclass(frozen=True)
class Size:
    """Rings of vertices from the mouth's border to the mask's, which have this many vertices."""

    rings: int
    inner: int
    outer: int
    extra: int = 0
    """Vertices that so many of the middle rings have more."""

    def counts(self) -> np.ndarray:
        counts = np.linspace(self.inner, self.outer, self.rings).round().astype(int)
        start = (self.rings - self.extra) // 2
        counts[start : start + self.extra] += 1
        return counts


TINY = Size(rings=10, inner=24, outer=60)
"""420 vertices: enough to be a face at 64 pixels."""

FULL = Size(rings=101, inner=92, outer=474, extra=49)
"""28,632 vertices, 56,698 triangles."""


def faceverse(size: Size = TINY, dtype: Any = np.float32, seed: int = 0) -> dict[str, Any]:
    """The dictionary in the file."""
    rng = np.random.default_rng(seed)
    chart, triangles = _mesh(size.counts())
    shape = surface(chart)
    count = len(shape)
    fields = _smooth_fields(chart, 60, rng)
    normal = _normals(chart)
    identity = _basis(fields, 150, np.geomspace(1.64, 0.07, 150) * np.sqrt(count / 28632), rng)
    texture = _basis(fields, 251, np.geomspace(4.0, 0.2, 251) * np.sqrt(3 * count), rng)
    flipped = [len(triangles) // 3, len(triangles) // 2]
    triangles[flipped] = triangles[flipped][:, ::-1]
    return {
        "meanshape": shape.astype(dtype),
        "meantex": _skin(chart).reshape(1, -1).astype(dtype),
        "idBase": identity.astype(dtype),
        "exBase": _units(chart, normal).reshape(52, -1).T.astype(dtype),
        "texBase": texture.astype(dtype),
        "tri": triangles,
        "point_buf": _faces_around(triangles, count),
        "keypoints": _keypoints(chart)[:, None],
        "skinmask": (np.hypot(*(chart - MOUTH).T) > 0.1).astype(dtype),
        "exp_name_list": list(EXPRESSIONS),
    }


def save(path: Path, content: Any, protocol: int | None = None) -> Path:
    """Writes it as `np.save` does, by default, or with another protocol of pickle, as NumPy's other
    versions do."""
    whole = np.empty((), object)
    whole[()] = content
    if protocol is None:
        np.save(path, whole, allow_pickle=True)
        return path
    with path.open("wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        pickle.dump(whole, file, protocol)
    return path


def surface(chart: Chart) -> np.ndarray:
    """Model positions (n, 3) of points of the chart: a skull with the features of a face on it."""
    longitude, y = chart.T
    down, up = np.clip(y / 0.49, 0, 1), np.clip(-y / 0.5, 0, 1)
    wide = 0.465 * (1 - 0.42 * down**3 - 0.22 * up**2)
    deep = 0.43 * (1 - 0.10 * down**2 - 0.30 * up**2.5)
    out = np.zeros(len(chart))
    for place, reach, height in _FEATURES:
        out += height * _bump(chart, place, reach)
    along = np.stack([wide * np.sin(longitude), y, -deep * np.cos(longitude)], axis=-1)
    towards = np.stack([0.35 * np.sin(longitude), 0 * y, -np.cos(longitude)], axis=-1)
    return along + out[:, None] * towards


_FEATURES = (
    ((0.0, 0.045), (0.17, 0.105), 0.085),  # tip of the nose
    ((0.0, -0.10), (0.15, 0.24), 0.045),  # its bridge
    ((0.19, 0.085), (0.13, 0.07), 0.022),  # wings of the nose
    ((-0.19, 0.085), (0.13, 0.07), 0.022),
    ((0.43, -0.19), (0.30, 0.13), -0.045),  # sockets
    ((-0.43, -0.19), (0.30, 0.13), -0.045),
    ((0.43, -0.19), (0.19, 0.065), 0.034),  # eyes, closed
    ((-0.43, -0.19), (0.19, 0.065), 0.034),
    ((0.40, -0.33), (0.42, 0.075), 0.020),  # brows
    ((-0.40, -0.33), (0.42, 0.075), 0.020),
    ((0.62, 0.05), (0.40, 0.22), 0.020),  # cheeks
    ((-0.62, 0.05), (0.40, 0.22), 0.020),
    ((0.0, 0.195), (0.34, 0.055), 0.030),  # upper lip
    ((0.0, 0.28), (0.30, 0.055), 0.030),  # lower lip
    ((0.0, 0.335), (0.30, 0.045), -0.014),  # below it
    ((0.0, 0.43), (0.30, 0.10), 0.045),  # chin
)
"""Where (longitude, y), how far, and how far out of the face."""


def _mesh(counts: np.ndarray) -> tuple[Chart, np.ndarray]:
    """Rings of points around the mouth and the strips of triangles between them."""
    rings, strips = [], []
    for ring, count in enumerate(counts):
        part = ring / (len(counts) - 1)
        angle = 2 * np.pi * np.arange(count) / count
        mouth = MOUTH + np.stack([0.27 * np.cos(angle), 0.012 * np.sin(angle)], axis=-1)
        border = np.stack([1.62 * np.cos(angle), -0.005 + 0.495 * np.sin(angle)], axis=-1)
        rings.append((1 - part) * mouth + part * border)
    starts = np.concatenate([[0], np.cumsum(counts)])
    for ring in range(len(counts) - 1):
        strips.append(_strip(counts[ring], counts[ring + 1], starts[ring], starts[ring + 1]))
    return np.concatenate(rings), np.concatenate(strips).astype(np.int32)


def _strip(inner: int, outer: int, first: int, second: int) -> np.ndarray:
    """inner + outer triangles between two closed rings whose vertices begin at these numbers."""
    ends = np.concatenate([(np.arange(inner) + 1) / inner, (np.arange(outer) + 1) / outer])
    order = np.argsort(ends, kind="stable")
    on_inner = order < inner
    i = np.cumsum(on_inner) - on_inner  # how far the inner ring has come before each triangle
    j = np.arange(inner + outer) - i
    third = np.where(on_inner, first + (i + 1) % inner, second + (j + 1) % outer)
    return np.stack([first + i % inner, third, second + j % outer], axis=-1)


def _bump(chart: Chart, place: Any, reach: Any) -> np.ndarray:
    """A hill of height 1, exactly zero beyond its reach."""
    square = (((chart - np.asarray(place)) / np.asarray(reach)) ** 2).sum(axis=1)
    return np.clip(1 - square, 0, None) ** 2


def _smooth_fields(chart: Chart, count: int, rng: np.random.Generator) -> np.ndarray:
    """Low waves over the face, (n, count)."""
    waves = rng.normal(size=(2, count)) * [[1.2], [4.0]]
    return np.cos(chart @ waves + rng.uniform(0, 2 * np.pi, count))


def _basis(
    fields: np.ndarray, axes: int, norms: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Random smooth displacements (3 n, axes) of the given lengths."""
    basis = (fields @ rng.normal(size=(fields.shape[1], 3 * axes))).reshape(-1, axes)
    return basis * (norms / np.linalg.norm(basis, axis=0))


def _normals(chart: Chart) -> np.ndarray:
    across, down = (surface(chart + step) - surface(chart - step) for step in 1e-4 * np.eye(2))
    normal = np.cross(down, across)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


_MOVES = {
    "browDown": ((0.40, -0.33), (0.5, 0.12), (-0.01, 0.035, 0)),
    "browInnerUp": ((0.0, -0.34), (0.35, 0.14), (0, -0.04, 0)),
    "browOuterUp": ((0.60, -0.33), (0.35, 0.13), (0, -0.04, 0)),
    "cheekPuff": ((0.62, 0.22), (0.45, 0.20), 0.06),
    "cheekSquint": ((0.50, -0.05), (0.35, 0.12), (0, -0.025, 0)),
    "eyeBlink": ((0.43, -0.21), (0.22, 0.06), (0, 0.03, 0)),
    "eyeLookDown": ((0.43, -0.19), (0.20, 0.07), (0, 0.01, 0)),
    "eyeLookIn": ((0.43, -0.19), (0.20, 0.07), (-0.01, 0, 0)),
    "eyeLookOut": ((0.43, -0.19), (0.20, 0.07), (0.01, 0, 0)),
    "eyeLookUp": ((0.43, -0.19), (0.20, 0.07), (0, -0.01, 0)),
    "eyeSquint": ((0.43, -0.16), (0.22, 0.06), (0, -0.015, 0)),
    "eyeWide": ((0.43, -0.23), (0.22, 0.06), (0, -0.02, 0)),
    "jawForward": ((0.0, 0.42), (0.9, 0.25), (0, 0, -0.05)),
    "jawLeft": ((0.0, 0.42), (0.9, 0.25), (0.05, 0, 0)),
    "jawOpen": ((0.0, 0.55), (2.2, 0.60), (0, 0.16, 0.03)),
    "jawRight": ((0.0, 0.42), (0.9, 0.25), (-0.05, 0, 0)),
    "mouthClose": ((0.0, 0.30), (0.4, 0.10), (0, -0.05, 0)),
    "mouthDimple": ((0.32, 0.235), (0.15, 0.09), (0.02, 0, 0.01)),
    "mouthFrown": ((0.30, 0.25), (0.20, 0.10), (0, 0.04, 0)),
    "mouthFunnel": ((0.0, 0.235), (0.40, 0.13), 0.05),
    "mouthLeft": ((0.0, 0.235), (0.45, 0.14), (0.05, 0, 0)),
    "mouthLowerDown": ((0.13, 0.29), (0.20, 0.08), (0, 0.03, 0)),
    "mouthPress": ((0.18, 0.235), (0.20, 0.07), -0.01),
    "mouthPucker": ((0.0, 0.235), (0.40, 0.13), 0.06),
    "mouthRight": ((0.0, 0.235), (0.45, 0.14), (-0.05, 0, 0)),
    "mouthRollLower": ((0.0, 0.28), (0.32, 0.06), -0.02),
    "mouthRollUpper": ((0.0, 0.195), (0.32, 0.06), -0.02),
    "mouthShrugLower": ((0.0, 0.31), (0.35, 0.10), (0, -0.02, -0.01)),
    "mouthShrugUpper": ((0.0, 0.18), (0.35, 0.09), (0, -0.02, -0.01)),
    "mouthSmile": ((0.34, 0.22), (0.38, 0.17), (0.035, -0.05, 0.01)),
    "mouthStretch": ((0.32, 0.26), (0.30, 0.14), (0.045, 0.015, 0)),
    "mouthUpperUp": ((0.13, 0.18), (0.20, 0.08), (0, -0.03, 0)),
    "noseSneer": ((0.17, 0.05), (0.18, 0.12), (0, -0.03, 0)),
    "tongueOut": ((0.0, 0.27), (0.15, 0.05), (0, 0.01, -0.03)),
}
"""Where a unit moves the face, how far around, and by what: a vector, or a length along the normal.
Those that have two sides are given for the person's left one."""


def _units(chart: Chart, normal: np.ndarray) -> np.ndarray:
    """What each unit adds, (52, n, 3): zero over most of the face."""
    return np.stack([_unit(name, chart, normal) for name in EXPRESSIONS])


def _unit(name: str, chart: Chart, normal: np.ndarray) -> np.ndarray:
    sided = name not in _MOVES
    side = -1 if sided and name.endswith("Right") else 1
    place, reach, move = _MOVES[name.removesuffix("Left").removesuffix("Right") if sided else name]
    moved = np.zeros_like(normal)
    for sign in (1, -1) if name == "cheekPuff" else (side,):
        weight = _bump(chart, np.multiply(place, [sign, 1]), reach)[:, None]
        moved += weight * (
            move * normal if isinstance(move, float) else move * np.array([sign, 1, 1])
        )
    return moved * _lower(chart)[:, None] if name == "jawOpen" else moved


def _lower(chart: Chart) -> np.ndarray:
    """1 below the line between the lips, 0 above, soft beside the mouth."""
    soft = 0.012 + 0.12 * np.clip((np.abs(chart[:, 0]) - 0.2) / 0.4, 0, 1)
    return np.clip((chart[:, 1] - MOUTH[1]) / soft, 0, 1)


def _skin(chart: Chart) -> np.ndarray:
    """Albedo (n, 3) in 0..255: skin, red lips, dark brows."""
    color = np.tile([205.0, 160.0, 135.0], (len(chart), 1))
    mirrored = np.abs(chart) * [1, 0] + chart * [0, 1]
    for place, reach, paint in (
        ((0.0, 0.237), (0.33, 0.07), (175, 85, 85)),
        ((0.42, -0.33), (0.30, 0.03), (80, 55, 45)),
        ((0.43, -0.175), (0.20, 0.02), (70, 50, 45)),
    ):
        share = np.clip(2 * _bump(mirrored, place, reach), 0, 1)[:, None]
        color = (1 - share) * color + share * np.array(paint)
    return color


def _faces_around(triangles: np.ndarray, vertices: int, most: int = 8) -> np.ndarray:
    """Triangles around each vertex, (n, 8), the first repeated where there are fewer."""
    order = np.argsort(triangles.reshape(-1), kind="stable")
    vertex, face = triangles.reshape(-1)[order], order // 3
    start = np.searchsorted(vertex, np.arange(vertices))
    place = np.arange(len(vertex)) - start[vertex]
    around = np.repeat(face[start][:, None], most, axis=1)
    around[vertex[place < most], place[place < most]] = face[place < most]
    return around


def _keypoints(chart: Chart) -> np.ndarray:
    """Vertices nearest to where the 66 landmarks of a face are."""
    return np.array([((chart - spot) ** 2).sum(axis=1).argmin() for spot in _landmarks()])


def _landmarks() -> np.ndarray:
    """Places in the chart in OpenSeeFace's order, from image left to image right."""
    turn = np.linspace(np.pi, 0, 17)
    contour = np.stack([1.5 * np.cos(turn), -0.02 + 0.5 * np.sin(turn)], axis=-1)
    brow = np.stack([np.linspace(-0.7, -0.2, 5), -0.33 - 0.02 * np.array([0, 1, 2, 1, 0])], axis=-1)
    brows = np.concatenate([brow, brow[::-1] * [-1, 1]])
    bridge = np.stack([np.zeros(4), np.linspace(-0.2, 0.03, 4)], axis=-1)
    below = np.stack([np.linspace(-0.17, 0.17, 5), np.full(5, 0.1)], axis=-1)
    aside = np.array([0.43, 0.0])
    round6 = np.pi - np.arange(6) * np.pi / 3
    eye = np.stack([0.16 * np.cos(round6), -0.19 - 0.03 * np.sin(round6)], axis=-1)
    round12 = np.pi + np.arange(12) * np.pi / 6
    lips = np.stack([0.29 * np.cos(round12), 0.055 * np.sin(round12)], axis=-1) + MOUTH
    inner = np.array([(-0.1, -1), (0, -1), (0.1, -1), (0.1, 1), (0, 1), (-0.1, 1)]) * [1, 0.012]
    return np.concatenate(
        [contour, brows, bridge, below, eye - aside, eye + aside, lips, inner + MOUTH]
    )


if __name__ == "__main__":
    with replacing(sys.argv[1]) as temporary:
        save(temporary, faceverse(FULL))
