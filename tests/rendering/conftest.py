"""Raw coefficient frames by name."""

from collections.abc import Callable

import numpy as np
import pytest

from jaxreact.face import COEFFS, EXPRESSIONS, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION

Pose = Callable[..., np.ndarray]


@pytest.fixture
def pose() -> Pose:
    """`pose(turn=(a, b, c), jawOpen=0.5, eyeBlink=1)` -> (1, 58); a bare name sets both sides."""

    def make(turn: tuple[float, float, float] = (0, 0, 0), **units: float) -> np.ndarray:
        coeffs = np.zeros((1, COEFFS), np.float32)
        coeffs[0, 52:55] = np.add(NEUTRAL_ROTATION, turn)
        coeffs[0, 55:58] = NEUTRAL_TRANSLATION
        for name, weight in units.items():
            sides = [i for i, n in enumerate(EXPRESSIONS) if n.removesuffix("Left") == name]
            sides += [i for i, n in enumerate(EXPRESSIONS) if n.removesuffix("Right") == name]
            sides += [i for i, n in enumerate(EXPRESSIONS) if n == name]
            assert sides, name
            coeffs[0, sides] = weight
        return coeffs

    return make
