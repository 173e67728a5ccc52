"""FaceVerse v2 (Wang et al., CVPR 2022): a face mask with identity, the 52 units and skin colour.

`FaceVerse.head` is what renderers draw. The other methods are the original's forward pass in parts,
in JAX: batches of any shape, differentiable, jitted (compiled once for each batch size).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from jaxreact.errors import UserError
from jaxreact.rendering.camera import Camera
from jaxreact.rendering.heads.head import HeadModel
from jaxreact.rendering.heads.pose import Array, place
from jaxreact.rendering.heads.reference import SIZES

SKIN_GLOSS = 0.1
"""Highlight of smooth pictures, about that of the built-in skin."""

AMBIENT = 0.8
"""What the light has in its constant band where gamma is zero."""

Bases = tuple[jax.Array, jax.Array, jax.Array]
"""Shape at rest (n, 3), and the matrices (150, 3 n) and (52, 3 n) of identity and expression."""


@dataclass(frozen=True, eq=False)
class FaceVerse:
    """The arrays of the model. Positions are in the model space of `jaxreact.face`.

    The mesh is open: ear to ear, forehead to chin, with a hole for the mouth. The released one has
    28,632 vertices and 56,698 triangles, counter-clockwise seen from outside but for two of them,
    which are kept as they are: the original's flat shading shows them dark as well.

    - `identity_units`, `texture_units`: what each coefficient adds at 1, a standard deviation.
    - `mean_texture`: albedo in 0..255 (sRGB), which `texture_units` are in too.
    - `keypoints`: the vertices of the 66 landmarks, in OpenSeeFace's order: 0-16 contour, 17-26
      brows, 27-35 nose, 36-47 eyes, 48-65 mouth.
    """

    mean_shape: Float[np.ndarray, "vertices 3"]
    identity_units: Float[np.ndarray, "150 vertices 3"]
    expression_units: Float[np.ndarray, "52 vertices 3"]
    mean_texture: Float[np.ndarray, "vertices 3"]
    texture_units: Float[np.ndarray, "251 vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    keypoints: Int[np.ndarray, "66"]

    def head(
        self,
        identity: Float[np.ndarray, "150"] | None = None,
        texture: Float[np.ndarray, "251"] | None = None,
    ) -> HeadModel:
        """One person's head: by default the average one's, in shape and in colour.

        Flat pictures do not depend on `texture`. Raises `UserError` for a wrong shape or a value
        that is not finite.
        """
        shape, albedo = self.mean_shape, self.mean_texture
        if identity is not None:
            shape = shape + np.tensordot(_finite("identity", identity), self.identity_units, 1)
        if texture is not None:
            albedo = albedo + np.tensordot(_finite("texture", texture), self.texture_units, 1)
        count = len(shape)
        return HeadModel(
            neutral=shape,
            units=self.expression_units,
            faces=self.triangles,
            colors=np.clip(albedo / 255, 0, 1).astype(np.float32),
            gloss=np.full(count, SKIN_GLOSS, np.float32),
            grip=np.ones(count, np.float32),
            pivot=np.zeros(3, np.float32),
        )

    def vertices(
        self,
        identity: Float[Array, "*#batch 150"],
        expression: Float[Array, "*#batch 52"],
        rotation: Float[Array, "*#batch 3"],
        translation: Float[Array, "*#batch 3"],
    ) -> Float[jax.Array, "*#batch vertices 3"]:
        """World positions; the batches broadcast, so that a clip needs its identity only once.

        V = mean + identity units · identity + expression units · expression, then R V + t. Raises
        `UserError` for a wrong number of coefficients.
        """
        _check_pose(identity, expression, rotation, translation)
        return _vertices(self._bases, identity, expression, rotation, translation)

    def landmarks(
        self,
        identity: Float[Array, "*#batch 150"],
        expression: Float[Array, "*#batch 52"],
        rotation: Float[Array, "*#batch 3"],
        translation: Float[Array, "*#batch 3"],
        camera: Camera | None = None,
        absolute_expression: bool = False,
    ) -> Float[jax.Array, "*#batch 66 2"]:
        """Where the 66 landmarks are in the picture: (u, v) in pixels, u right and v down.

        `camera`: the original's 224-pixel one by default. `absolute_expression` takes the
        absolute value of the expression first, as the original does where it fits landmarks and
        nowhere else. Raises as `vertices` does.
        """
        _check_pose(identity, expression, rotation, translation)
        if absolute_expression:
            expression = jnp.abs(expression)
        points = _vertices(self._landmark_bases, identity, expression, rotation, translation)
        return (camera or Camera()).project(points)[..., :2]

    def normals(
        self, vertices: Float[Array, "*batch vertices 3"]
    ) -> Float[jax.Array, "*batch vertices 3"]:
        """Unit normals: the sum of the adjacent triangles' normals, weighted by their area."""
        return _normals(vertices, self._triangles)

    def albedo(self, texture: Float[Array, "*batch 251"]) -> Float[jax.Array, "*batch vertices 3"]:
        """Colour of the skin without light, RGB around 0..255 (not clipped)."""
        _check("texture", texture)
        return _mix(*self._texture, texture)

    def colors(
        self,
        texture: Float[Array, "*#batch 251"],
        light: Float[Array, "*#batch 27"],
        normals: Float[Array, "*#batch vertices 3"],
    ) -> Float[jax.Array, "*#batch vertices 3"]:
        """The original's colours with `texture=True`: albedo times spherical-harmonic light.

        `light` is gamma, `normals` are in the world. RGB around 0..255; the original interpolates
        these over the triangles without any further light, and clips.
        """
        _check("light", light)
        return self.albedo(texture) * spherical_light(light, normals)

    @cached_property
    def _bases(self) -> Bases:
        """What vertices are made of, on the device."""
        return self._bases_of(slice(None))

    @cached_property
    def _landmark_bases(self) -> Bases:
        return self._bases_of(self.keypoints)

    def _bases_of(self, vertices: slice | np.ndarray) -> Bases:
        units = (self.identity_units, self.expression_units)
        identity, expression = (_matrix(basis[:, vertices]) for basis in units)
        return jnp.asarray(self.mean_shape[vertices]), identity, expression

    @cached_property
    def _texture(self) -> tuple[jax.Array, jax.Array]:
        return jnp.asarray(self.mean_texture), _matrix(self.texture_units)

    @cached_property
    def _triangles(self) -> jax.Array:
        return jnp.asarray(self.triangles)


@jax.jit
def spherical_light(
    light: Float[Array, "*#batch 27"], normals: Float[Array, "*#batch vertices 3"]
) -> Float[jax.Array, "*#batch vertices 3"]:
    """Factors by which light from all around changes red, green and blue of the albedo.

    `light` is gamma: the bands 0..8 of red, then of green, then of blue; `AMBIENT` is added to
    band 0. `normals` are unit vectors in the world.
    """
    bands = jnp.asarray(light).reshape(*light.shape[:-1], 3, 9).at[..., 0].add(AMBIENT)
    harmonics = _harmonics(normals)
    return jnp.einsum("...vk,...ck->...vc", harmonics, bands, precision="highest")


def _harmonics(normals: Float[Array, "*batch n 3"]) -> Float[jax.Array, "*batch n 9"]:
    """The nine real spherical harmonics up to order 2, scaled and signed as in FaceVerse."""
    x, y, z = jnp.moveaxis(jnp.asarray(normals), -1, 0)
    linear, square = math.sqrt(math.pi), math.sqrt(15 * math.pi / 8)
    bands = [
        jnp.full_like(x, linear / 2),
        -linear * y,
        linear * z,
        -linear * x,
        square * x * y,
        -square * y * z,
        square / math.sqrt(12) * (3 * z**2 - 1),
        -square * x * z,
        square / 2 * (x**2 - y**2),
    ]
    return jnp.stack(bands, axis=-1)


@jax.jit
def _vertices(
    bases: Bases, identity: Array, expression: Array, rotation: Array, translation: Array
) -> Float[jax.Array, "*#batch n 3"]:
    mean, identity_matrix, expression_matrix = bases
    shape = _mix(mean, identity_matrix, identity) + _mix(0.0, expression_matrix, expression)
    return place(shape, rotation, translation)


@jax.jit
def _normals(
    vertices: Float[Array, "*batch n 3"], triangles: Int[jax.Array, "triangles 3"]
) -> Float[jax.Array, "*batch n 3"]:
    a, b, c = (jnp.asarray(vertices)[..., triangles[:, corner], :] for corner in range(3))
    faces = jnp.cross(a - b, b - c)
    total = jnp.zeros_like(vertices)
    for corner in range(3):
        total = total.at[..., triangles[:, corner], :].add(faces)
    return total / (jnp.linalg.norm(total, axis=-1, keepdims=True) + 1e-9)


@jax.jit
def _mix(
    mean: Float[jax.Array, "n 3"] | Float[jax.Array, ""] | float,
    matrix: jax.Array,
    weights: Float[Array, "*batch axes"],
) -> Float[jax.Array, "*batch n 3"]:
    """`mean` plus the weighted sum of the matrix's rows, exact float32 on every device."""
    total = jnp.matmul(weights, matrix, precision=jax.lax.Precision.HIGHEST)
    return total.reshape(*total.shape[:-1], -1, 3) + mean


def _matrix(units: Float[np.ndarray, "axes n 3"]) -> Float[jax.Array, "axes coordinates"]:
    return jnp.asarray(units.reshape(len(units), -1))


def _check(name: str, coefficients: Array) -> None:
    """Raises `UserError` if the last axis is not as long as this part of the coefficients is."""
    shape, size = np.shape(coefficients), SIZES[name]
    if not shape or shape[-1] != size:
        raise UserError(f"{name}: FaceVerse has {size} coefficients, got shape {shape}")


def _check_pose(identity: Array, expression: Array, rotation: Array, translation: Array) -> None:
    _check("identity", identity)
    _check("expression", expression)
    _check("rotation", rotation)
    _check("translation", translation)


def _finite(name: str, coefficients: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """One person's coefficients as float32, checked."""
    coefficients = np.asarray(coefficients, np.float32)
    if coefficients.shape != (SIZES[name],):
        raise UserError(f"{name}: expected ({SIZES[name]},), got {coefficients.shape}")
    if not np.isfinite(coefficients).all():
        raise UserError(f"{name}: a coefficient is not finite")
    return coefficients
