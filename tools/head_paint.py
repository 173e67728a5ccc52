"""Colours by vertex: skin, lips, brows, hair, shirt, eyes, teeth; and baked soft shadow.

Positions are decimetres from the point between the eyes: x to the person's left, y up, z front.
"""

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh  # pyright: ignore[reportMissingImports]
from embreex.rtcore_scene import EmbreeScene  # pyright: ignore[reportMissingImports]

SKIN = (0.86, 0.67, 0.56)
BLUSH = (0.83, 0.50, 0.43)
LIPS = (0.74, 0.42, 0.40)
MOUTH = (0.36, 0.13, 0.13)
HAIR = (0.23, 0.155, 0.11)
BROWS = (0.36, 0.25, 0.19)
LASHES = (0.13, 0.09, 0.08)
SHIRT = (0.23, 0.40, 0.45)
TEETH = (0.93, 0.90, 0.84)
TONGUE = (0.72, 0.40, 0.40)
SCLERA, VEINS = (0.92, 0.90, 0.88), (0.85, 0.72, 0.68)
PUPIL, IRIS_INNER, IRIS_OUTER, LIMBUS = (
    (0.03, 0.03, 0.03),
    (0.56, 0.43, 0.27),
    (0.36, 0.38, 0.31),
    (0.18, 0.19, 0.18),
)

HAIRLINE = (
    (0, 0.70),
    (22, 0.71),
    (38, 0.66),
    (50, 0.50),
    (60, 0.30),
    (68, 0.14),
    (76, -0.02),
    (82, -0.20),
    (90, -0.20),
    (100, -0.10),
    (125, -0.25),
    (140, -0.62),
    (180, -0.80),
)
"""Degrees around the head (0 front, 90 ear) and the height at which hair begins."""

BROW = ((-0.17, 0.170, 0.026), (-0.05, 0.193, 0.031), (0.12, 0.205, 0.026), (0.26, 0.150, 0.016))
"""A brow from the nose outwards: x and y from the eye's centre, and half its width."""


LID_RIM_INNER, LID_RIM_OUTER = 1.145, 1.175
"""Where the upper lid's rim ends, in eyeball radii: what lies lower is dark with lashes."""


@dataclass(frozen=True)
class Eye:
    """An eyeball's centre (3,) and radius."""

    centre: np.ndarray
    radius: float


@dataclass(frozen=True)
class Look:
    """Colour (n, 3) in sRGB and gloss (n,)."""

    color: np.ndarray
    gloss: np.ndarray


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 at `low`, 1 at `high` (which may be the smaller), smooth between, constant outside."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def above_hairline(p: np.ndarray) -> np.ndarray:
    """Height above the hairline in decimetres (negative below it)."""
    azimuth = np.degrees(np.arctan2(np.abs(p[:, 0]), p[:, 2] + 0.65))
    degrees, heights = np.array(HAIRLINE).T
    return p[:, 1] - np.interp(azimuth, degrees, heights)


def below_collar(p: np.ndarray) -> np.ndarray:
    """Depth below the edge of the shirt in decimetres (negative above it)."""
    return -1.83 - 0.42 * (p[:, 2] + 0.5) + 0.12 * np.abs(p[:, 0]) - p[:, 1]


def brow_distance(p: np.ndarray, eye: Eye) -> np.ndarray:
    """Distance from a brow's middle line as a fraction of its half width, seen from the front."""
    side = np.sign(eye.centre[0])
    x, y = (p[:, 0] - eye.centre[0]) * side, p[:, 1] - eye.centre[1]
    along = np.linspace(BROW[0][0], BROW[-1][0], 120)
    knots = np.array(BROW).T
    middle = _smooth(np.interp(along, knots[0], knots[1]))
    width = np.interp(along, knots[0], knots[2])
    distance = np.hypot(x[:, None] - along, y[:, None] - middle) / width
    distance[p[:, 2] < -0.4] = np.inf
    return distance.min(axis=1)


def lid_height(p: np.ndarray, eye: Eye) -> np.ndarray:
    """Distance from an eye's centre in its radii; a lid's rim is what lies nearest."""
    return np.linalg.norm(p - eye.centre, axis=1) / eye.radius


def lash_line(p: np.ndarray, eye: Eye) -> np.ndarray:
    """How dark the rims of the lids are (n,): the upper one with its lashes, the lower a little."""
    height = lid_height(p, eye)
    is_upper = smoothstep(-0.02, 0.02, p[:, 1] - eye.centre[1])
    upper, lower = smoothstep(LID_RIM_OUTER, LID_RIM_INNER, height), smoothstep(1.1, 1.05, height)
    return 0.9 * is_upper * upper + 0.25 * (1 - is_upper) * lower


def _smooth(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 12, mode="reflect", reflect_type="odd")
    return np.convolve(padded, np.hanning(25) / np.hanning(25).sum(), mode="valid")


def mix(base: np.ndarray, color: tuple[float, float, float], amount: np.ndarray) -> np.ndarray:
    """`base` blended towards one colour by amounts (n,) in [0, 1]."""
    return base + (np.array(color) - base) * amount[:, None]


def blob(p: np.ndarray, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    """A soft spot on both sides of the face, 1 at its centre."""
    q = np.column_stack([np.abs(p[:, 0]), p[:, 1:]])
    return np.exp(-(((q - centre) / radius) ** 2).sum(axis=1))


def paint_skin(p: np.ndarray, masks: dict[str, np.ndarray], eyes: list[Eye]) -> Look:
    """The body: skin with warmer cheeks, nose, ears; lips, mouth, brows, hair, shirt."""
    color = np.tile(np.array(SKIN), (len(p), 1))
    warm = 0.45 * blob(p, (0.36, -0.38, 0.2), 0.24) + 0.3 * blob(p, (0.0, -0.42, 0.42), 0.14)
    color = mix(color, BLUSH, np.clip(warm + 0.3 * masks["ears"], 0, 1))
    color = mix(color, BLUSH, 0.35 * masks["eyelids"])
    color = mix(color, LIPS, smoothstep(0.2, 0.8, masks["lips"]))
    color = mix(color, MOUTH, masks["inside-mouth"])
    color *= 1 - masks["inside-mouth"][:, None] * (1 - throat(p)[:, None])
    for eye in eyes:
        color = mix(color, LASHES, lash_line(p, eye))
        color = mix(color, BROWS, 0.82 * smoothstep(1.27, 0.72, brow_distance(p, eye)))
    hair = smoothstep(-0.025, 0.035, above_hairline(p)) * (1 - smoothstep(0.05, 0.3, masks["ears"]))
    shirt = smoothstep(-0.011, 0.011, below_collar(p))
    color = mix(mix(color, HAIR, hair), SHIRT, shirt)
    wet = 0.16 * smoothstep(0.2, 0.8, masks["lips"])
    gloss = (0.05 + wet) * (1 - hair) * (1 - shirt) + 0.03 * hair
    return Look(color, gloss)


def paint_eye(polar: np.ndarray, around: np.ndarray) -> Look:
    """An eyeball by degrees from its axis and radians around it: pupil, iris, sclera."""
    streaks = 0.5 + 0.28 * np.sin(7 * around + 1) * np.sin(5 * around) + 0.2 * np.sin(11 * around)
    color = np.tile(np.array(SCLERA), (len(polar), 1))
    color = mix(color, VEINS, smoothstep(38, 62, polar))
    color = mix(color, LIMBUS, smoothstep(31.5, 29.5, polar))
    iris = smoothstep(29.4, 27.0, polar)
    color = mix(color, IRIS_OUTER, iris)
    color = mix(color, IRIS_INNER, smoothstep(26, 14, polar) * (0.45 + 0.55 * streaks))
    color = mix(color, PUPIL, smoothstep(12.4, 11.1, polar))
    return Look(color, np.full(len(polar), 0.75))


def throat(p: np.ndarray) -> np.ndarray:
    """How much light reaches into the mouth (n,): 1 at the lips, less towards the throat."""
    return 0.25 + 0.75 * smoothstep(-0.2, 0.24, p[:, 2])


def occlusion(position: np.ndarray, normals: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Share of the sky that nearby surface hides from each vertex (n,), 0 in the open.

    96 cosine-weighted rays a vertex, 0.6 dm long (Zhukov et al. 1998).
    """
    scene = EmbreeScene()
    TriangleMesh(scene, position.astype(np.float32), faces.astype(np.int32))
    count = 96
    k = np.arange(count) + 0.5
    radius, turn = np.sqrt(k / count), k * np.pi * (3 - np.sqrt(5))
    local = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), np.sqrt(1 - k / count)])
    helper = np.where(np.abs(normals[:, :1]) > 0.7, [[0, 1.0, 0]], [[1.0, 0, 0]])
    tangent = np.cross(normals, helper)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    frame = np.stack([tangent, np.cross(normals, tangent), normals], axis=1)
    rays = np.einsum("kc,nci->nki", local, frame).reshape(-1, 3).astype(np.float32)
    origins = np.repeat(position + 0.004 * normals, count, axis=0).astype(np.float32)
    distance = scene.run(origins, rays, query="DISTANCE").reshape(-1, count)
    return np.where(distance < 0.6, 1 - distance / 0.6, 0).mean(axis=1)
