"""Light on the face: the original's flat grey, and a soft portrait light in linear colour."""

import numpy as np
from jaxtyping import Float, Float64, Int32, UInt8
from numba import njit

Vector = tuple[float, float, float]

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


@njit(nogil=True, error_model="numpy")
def _face_normal(vertices, faces, face):
    """The normal (x, y, z) of a triangle's winding, as long as twice its area."""
    i, j, k = faces[face, 0], faces[face, 1], faces[face, 2]
    ax, ay, az = vertices[i, 0], vertices[i, 1], vertices[i, 2]
    bx, by, bz = vertices[j, 0] - ax, vertices[j, 1] - ay, vertices[j, 2] - az
    cx, cy, cz = vertices[k, 0] - ax, vertices[k, 1] - ay, vertices[k, 2] - az
    return by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx


@njit(nogil=True, error_model="numpy")
def vertex_normals(
    vertices: Float64[np.ndarray, "vertices 3"], faces: Int32[np.ndarray, "triangles 3"]
) -> Float64[np.ndarray, "vertices 3"]:
    """Unit normals: the sum of the adjacent triangles' normals, weighted by their area.

    A vertex of no triangle has 0.
    """
    # Written out by element: NumPy's operations on rows take numba a second more to compile.
    normals = np.zeros((len(vertices), 3))
    for face in range(len(faces)):
        x, y, z = _face_normal(vertices, faces, face)
        for corner in range(3):
            vertex = faces[face, corner]
            normals[vertex, 0] += x
            normals[vertex, 1] += y
            normals[vertex, 2] += z
    for vertex in range(len(normals)):
        x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        length = max(np.sqrt(x * x + y * y + z * z), 1e-30)
        normals[vertex, 0], normals[vertex, 1] = x / length, y / length
        normals[vertex, 2] = z / length
    return normals


@njit(nogil=True, error_model="numpy")
def flat_picture(
    vertices: Float64[np.ndarray, "vertices 3"],
    faces: Int32[np.ndarray, "triangles 3"],
    shown: Int32[np.ndarray, "size size"],
) -> UInt8[np.ndarray, "size size 3"]:
    """The original's mesh preview on black, 20..210: 200 (0.1 + 0.95 max(0, n_z)), cut to integers.

    n is the unit normal of the winding in the world; the light is a point so far away on +z that
    its direction is +z in float32. `shown` is the triangle of each pixel, -1 for none.
    """
    picture = np.zeros((shown.shape[0], shown.shape[1], 3), np.uint8)
    for row in range(shown.shape[0]):
        for column in range(shown.shape[1]):
            face = shown[row, column]
            if face >= 0:
                x, y, z = _face_normal(vertices, faces, face)
                length = max(np.sqrt(x * x + y * y + z * z), 1e-30)
                grey = np.uint8(200 * (0.1 + 0.95 * max(z / length, 0.0)))
                for channel in range(3):
                    picture[row, column, channel] = grey
    return picture


@njit(nogil=True, error_model="numpy")
def portrait(normal: Vector, view: Vector, albedo: Vector, gloss: float) -> Vector:
    """Light that leaves a point of a surface towards the camera: linear (r, g, b), 1 is white.

    `normal` has any length, `view` is the unit vector towards the camera, `albedo` is linear. A key
    light with colour-dependent wrap, a weak fill, a rim from behind and a sky/ground ambient, plus
    Blinn-Phong highlights whose sharpness grows with gloss: dull skin, wet lips, glassy eyes.
    """
    normal = _unit(normal[0], normal[1], normal[2])
    key, fill, back = _dot(normal, KEY), _dot(normal, FILL), _dot(normal, RIM)
    rim = max(back, 0.0) * (1 - max(_dot(normal, view), 0.0))
    half = _unit(view[0] + SPARK[0], view[1] + SPARK[1], view[2] + SPARK[2])
    cosine = min(max(_dot(normal, half), 1e-4), 1.0)
    highlight = 1.3 * gloss * np.exp((10 + 600 * gloss * gloss) * np.log(cosine))
    lights = (normal[1], key, max(fill, 0.0), rim)
    return (
        albedo[0] * _diffuse(lights, 0) + highlight,
        albedo[1] * _diffuse(lights, 1) + highlight,
        albedo[2] * _diffuse(lights, 2) + highlight,
    )


@njit(nogil=True, error_model="numpy")
def _diffuse(lights, channel):
    """Light of one colour that falls on a surface: from above, from the key, the fill, the rim."""
    up, key, fill, rim = lights
    ground, sky, wrap = GROUND[channel], SKY[channel], WRAP[channel]
    light = ground + (sky - ground) * (0.5 + 0.5 * up)
    light += KEY_COLOR[channel] * max((key + wrap) / (1 + wrap), 0.0)
    return light + FILL_COLOR[channel] * fill + RIM_COLOR[channel] * rim


@njit(nogil=True, error_model="numpy")
def _unit(x, y, z):
    length = max(np.sqrt(x * x + y * y + z * z), 1e-12)
    return x / length, y / length, z / length


@njit(nogil=True, error_model="numpy")
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


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
