"""FaceVerse v2's 486 coefficients of one face in one picture, as in `reference_full.npy`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError, reading

SIZES = {
    "identity": 150,
    "expression": 52,
    "texture": 251,
    "rotation": 3,
    "light": 27,
    "translation": 3,
}
"""The parts in the order of the vector; the light stands between rotation and translation."""

COUNT = sum(SIZES.values())


@dataclass(frozen=True)
class Reference:
    """A fitted face. Identity and texture are standard deviations, the rotation radians, the light
    (gamma) 9 spherical harmonics for each of red, green and blue."""

    identity: Float[np.ndarray, "150"]
    expression: Float[np.ndarray, "52"]
    texture: Float[np.ndarray, "251"]
    rotation: Float[np.ndarray, "3"]
    light: Float[np.ndarray, "27"]
    translation: Float[np.ndarray, "3"]


def read_reference(path: str | Path) -> Reference:
    """The parts of a `reference_full.npy`: (1, 1, 486) as the challenge ships it, or (486,).

    Only the identity shapes a predicted face; the original draws everybody with this one. Raises
    `UserError` for what is no such file, another number of coefficients, or one not finite.
    """
    with reading(path, "not a readable .npy file of numbers"):
        values = np.load(path, allow_pickle=False)
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise UserError(f"{path}: a reference is an .npy file of {COUNT} floating-point numbers")
    if values.size != COUNT or values.shape[-1] != COUNT:
        raise UserError(f"{path}: a reference has shape (1, 1, {COUNT}), this one {values.shape}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{path}: the reference holds numbers that are not finite")
    ends = np.cumsum(list(SIZES.values()))[:-1]
    parts = np.split(values.reshape(-1), ends)
    return Reference(**dict(zip(SIZES, parts, strict=True)))
