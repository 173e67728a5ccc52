"""The talking mouth: from the vocal tract's tracks to face units."""

import numpy as np
from jaxtyping import Float

from jaxreact.simulation.articulation import CONTROLS_PER_FRAME, Articulation
from jaxreact.simulation.displays import unit_vector

_OPEN = {"jawOpen": 0.42, "mouthLowerDown": 0.22, "mouthUpperUp": 0.08}
_ROUND = {"mouthFunnel": 0.35, "mouthPucker": 0.4}
_SPREAD = {"mouthStretch": 0.18, "mouthDimple": 0.06}
_CLOSED = {"mouthClose": 0.12, "mouthPress": 0.15, "mouthRollLower": 0.12, "mouthRollUpper": 0.1}
_TEETH_ON_LIP = {"mouthRollLower": 0.3, "mouthUpperUp": 0.1}


def _per_frame(track: np.ndarray) -> np.ndarray:
    """The mean over each video frame's 40 ms: what a camera with an open shutter sees."""
    return track.reshape(-1, CONTROLS_PER_FRAME).mean(axis=1)


def speak(articulation: Articulation, asymmetry: float) -> Float[np.ndarray, "time 58"]:
    """The coefficients that speaking adds, at 25 frames a second, in step with the sound."""
    closure = _per_frame(articulation.closure)
    moves = (
        (_per_frame(articulation.jaw) * (1 - closure), _OPEN),
        (_per_frame(articulation.rounding), _ROUND),
        (_per_frame(articulation.spreading), _SPREAD),
        (closure, _CLOSED),
        (_per_frame(articulation.labiodental), _TEETH_ON_LIP),
    )
    return sum(
        (track[:, None] * unit_vector(units, asymmetry) for track, units in moves),
        start=np.zeros((len(closure), 58)),
    )
