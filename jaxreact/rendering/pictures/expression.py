"""A face at rest, and expressions as text: mouthSmile=0.8,jawOpen=0.2."""

import difflib
import math

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError
from jaxreact.face import (
    COEFFS,
    EXPRESSIONS,
    INDEX,
    NEUTRAL_ROTATION,
    NEUTRAL_TRANSLATION,
    ROTATION,
    TRANSLATION,
)


def upright(frames: int) -> Float[np.ndarray, "frames 58"]:
    """Coefficients of a face at rest that looks into the camera."""
    coeffs = np.zeros((frames, COEFFS), np.float32)
    coeffs[:, ROTATION], coeffs[:, TRANSLATION] = NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
    return coeffs


def parse_expression(text: str) -> Float[np.ndarray, "52"]:
    """Weights of the units from `name=weight,...`; others are 0.

    A name without Left or Right sets both sides. Raises `UserError`, naming it, for a name that is
    no unit and a weight that is no number.
    """
    weights = np.zeros(len(EXPRESSIONS), np.float32)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        weights[_units(name)] = _number(part, value)
    return weights


def _units(name: str) -> list[int]:
    sides = [INDEX[side] for side in (name, f"{name}Left", f"{name}Right") if side in INDEX]
    if not sides:
        near = [unit for unit in EXPRESSIONS if name and name.lower() in unit.lower()]
        near = near or difflib.get_close_matches(name, EXPRESSIONS, 2)
        hint = f", did you mean {' or '.join(near[:4])}" if near else ""
        raise UserError(f"--expression: {name!r} is no unit{hint}; the command units shows all")
    return sides


def _number(part: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"--expression: {part!r}; expected name=weight, such as mouthSmile=1")
    return number
