"""Light on the face: the original's flat grey, and a soft portrait light in linear colour."""

import numpy as np
from jaxtyping import Float, Int, UInt8

# Directions towards the lights in the world (x image right, y up, z towards the camera).
KEY, FILL, RIM, SPARK = (
    np.array(d, np.float32) / np.linalg.norm(d)
    for d in ((-0.5, 0.45, 0.85), (0.8, 0.1, 0.6), (0.55, 0.5, -0.75), (-0.4, 0.22, 0.9))
)
# SPARK is the key light as highlights see it: lower, so that upper lids do not hide it in the eyes.
KEY_COLOR = np.array([1.04, 0.98, 0.92], np.float32) * 0.82
FILL_COLOR = np.array([0.86, 0.95, 1.05], np.float32) * 0.24
RIM_COLOR = np.array([0.9, 0.97, 1.05], np.float32) * 0.35
SKY, GROUND = np.array([0.30, 0.31, 0.33], np.float32), np.array([0.20, 0.17, 0.15], np.float32)
WRAP = np.array([0.30, 0.16, 0.12], np.float32)
"""How far light creeps around the edge of the lit side, by colour: red goes deepest in skin."""


def unit(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Vectors scaled to length 1 (zero stays zero)."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return vectors / np.maximum(length, 1e-12)[:, None]


def vertex_normals(
    vertices: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "triangles 3"]
) -> Float[np.ndarray, "vertices 3"]:
    """Unit normals: the sum of the adjacent triangles' normals, weighted by their area."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    index = faces.T.reshape(-1)
    columns = [
        np.bincount(index, np.tile(normals[:, axis], 3), minlength=len(vertices))
        for axis in range(3)
    ]
    return unit(np.stack(columns, axis=-1).astype(np.float32))


def flat_grey(
    vertices: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "triangles 3"]
) -> Float[np.ndarray, " triangles"]:
    """The original's mesh preview, 20..210 a triangle: 200 (0.1 + 0.95 max(0, n_z)).

    n is the unit normal of the winding; the light is a point so far away on +z that its
    direction is +z in float32.
    """
    a, b, c = (vertices[faces[:, corner]].astype(np.float64) for corner in range(3))
    normals = np.cross(b - a, c - a)
    length = np.maximum(np.linalg.norm(normals, axis=-1), 1e-30)
    return 200 * (0.1 + 0.95 * np.maximum(normals[:, 2] / length, 0))


def portrait(
    normals: Float[np.ndarray, "n 3"],
    views: Float[np.ndarray, "n 3"],
    albedo: Float[np.ndarray, "n 3"],
    gloss: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "n 3"]:
    """Light that leaves surface points towards the camera, linear RGB (1 is white).

    `normals` and `views` (towards the camera) are unit vectors, `albedo` is linear. A key light
    with colour-dependent wrap, a weak fill, a rim from behind and a sky/ground ambient, plus
    Blinn-Phong highlights whose sharpness grows with gloss: dull skin, wet lips, glassy eyes.
    """
    up = 0.5 + 0.5 * normals[:, 1:2]
    light = GROUND + (SKY - GROUND) * up
    light += KEY_COLOR * np.maximum((normals @ KEY[:, None] + WRAP) / (1 + WRAP), 0)
    light += FILL_COLOR * np.maximum(normals @ FILL, 0)[:, None]
    edge = 1 - np.maximum(np.einsum("ij,ij->i", normals, views), 0)
    light += RIM_COLOR * (np.maximum(normals @ RIM, 0) * edge)[:, None]
    half = views + SPARK
    half = unit(half)
    cosine = np.clip(np.einsum("ij,ij->i", normals, half), 1e-4, 1)
    highlight = 1.3 * gloss * np.exp((10 + 600 * gloss**2) * np.log(cosine))
    return albedo * light + highlight[:, None]


def to_linear(srgb: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """sRGB in [0, 1] to linear light (gamma 2.2)."""
    return np.power(srgb, 2.2, dtype=np.float32)


_SRGB = (255 * (np.arange(65536) / 65535) ** (1 / 2.2) + 0.5).astype(np.uint8)


def to_srgb(linear: Float[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n"]:
    """Linear light in [0, 1] to 8-bit sRGB (gamma 2.2), by table: powers are slow."""
    return np.take(_SRGB, (linear * 65535).astype(np.uint16))


def backdrop(size: int) -> Float[np.ndarray, "size size 3"]:
    """The background of smooth pictures, linear RGB: a soft grey-blue wall, lit behind the head."""
    v, u = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size
    glow = np.exp(-((u - 0.5) ** 2 + (v - 0.42) ** 2) / 0.18)[..., None]
    dark, bright = np.array([0.16, 0.20, 0.25]), np.array([0.50, 0.56, 0.62])
    return (dark + (bright - dark) * glow).astype(np.float32)
