"""A head model as the numbers that a mesh of glTF consists of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from jaxreact.export.pose import AXES, METRES
from jaxreact.face import EXPRESSION, INDEX
from jaxreact.rendering import HeadModel
from jaxreact.rendering.shade import to_linear, vertex_normals

STILL = 1e-4
"""Change of a unit normal that is left out: 0.006 degrees."""


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """A mesh in metres (x to the person's left, y up, z out of the face), and what moves it.

    `targets`, `target_normals`: what each of the 52 units adds to positions and to unit normals.
    `colors`: linear light in [0, 1]. `roughness`: of glTF's material, in [0, 1]. `grip`: how much
    of the head's rotation a vertex follows; `pivot`: where head and shoulders meet.
    """

    positions: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "triangles 3"]
    colors: Float[np.ndarray, "vertices 3"]
    roughness: Float[np.ndarray, " vertices"]
    grip: Float[np.ndarray, " vertices"]
    pivot: Float[np.ndarray, " 3"]
    targets: Float[np.ndarray, "52 vertices 3"]
    target_normals: Float[np.ndarray, "52 vertices 3"]


def head_mesh(head: HeadModel) -> HeadMesh:
    """The mesh of a head model at rest."""
    neutral = head.neutral.astype(np.float64)
    normals = vertex_normals(neutral, head.faces)
    turned = np.stack([vertex_normals(neutral + unit, head.faces) for unit in head.units])
    turned -= normals
    turned[np.abs(turned).max(axis=2) < STILL] = 0
    return HeadMesh(
        positions=(neutral * AXES * METRES).astype(np.float32),
        normals=(normals * AXES).astype(np.float32),
        faces=head.faces,
        colors=to_linear(head.colors),
        roughness=_roughness(head.gloss),
        grip=head.grip.astype(np.float32),
        pivot=head.pivot.astype(np.float64) * AXES * METRES,
        targets=(head.units * AXES * METRES).astype(np.float32),
        target_normals=(turned * AXES).astype(np.float32),
    )


def head_weights(
    head: HeadModel, coeffs: Float[np.ndarray, "frames 58"]
) -> Float[np.ndarray, "frames 52"]:
    """The targets' weights: the coefficients', of which mouthClose counts no further than jawOpen
    where the head asks for that, since the file's players cannot see to it."""
    weights = coeffs[:, EXPRESSION].astype(np.float32)
    if head.lips_need_jaw:
        close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
        weights[:, close] = np.minimum(weights[:, close], weights[:, jaw].clip(0))
    return weights


def _roughness(gloss: Float[np.ndarray, " vertices"]) -> Float[np.ndarray, " vertices"]:
    """The width of highlights that `shade.portrait` gives to a gloss g.

    Its exponent is n = 10 + 600 g², and highlights of glTF's material are about as wide where
    roughness⁴ = 2 / (n + 2). What is not glossy at all has none there; here it is quite rough.
    """
    same = (2 / (12 + 600 * gloss.astype(np.float64) ** 2)) ** 0.25
    return np.where(gloss > 0, same, 0.9).astype(np.float32)
