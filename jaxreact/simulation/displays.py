"""What each display looks like: the face units it moves, and the curve it moves them along."""

import numpy as np
from jaxtyping import Float

from jaxreact.face import COEFFS, FPS, INDEX
from jaxreact.simulation.story import ASSENT, CONCERN, DISTASTE, SMILE, SURPRISE, Display

_UNITS: dict[str, dict[str, float]] = {
    # AU6 + AU12, the smile of enjoyment (Ekman, Davidson & Friesen 1990); strong ones part the lips
    SMILE: {
        "mouthSmile": 0.65,
        "cheekSquint": 0.5,
        "eyeSquint": 0.3,
        "mouthUpperUp": 0.18,
        "mouthLowerDown": 0.12,
        "mouthStretch": 0.1,
    },
    # AU1 + AU4 + AU15 + AU17 (Ekman & Friesen's sadness)
    CONCERN: {
        "browDown": 0.45,
        "browInnerUp": 0.45,
        "mouthFrown": 0.5,
        "mouthShrugLower": 0.4,
        "eyeSquint": 0.1,
    },
    # AU1 + AU2 + AU5 + AU26
    SURPRISE: {"browInnerUp": 0.6, "browOuterUp": 0.65, "eyeWide": 0.55, "jawOpen": 0.28},
    # AU4 + AU9 + AU10
    DISTASTE: {"noseSneer": 0.6, "mouthUpperUp": 0.4, "browDown": 0.35, "eyeSquint": 0.35},
    # last, since it yields: lips pressed and dimpled, AU14 + AU23 + AU24
    ASSENT: {
        "mouthPress": 0.5,
        "mouthDimple": 0.45,
        "mouthRollLower": 0.3,
        "mouthRollUpper": 0.25,
    },
}
_ATTACK = {SMILE: 0.55, CONCERN: 0.6, SURPRISE: 0.25, DISTASTE: 0.35, ASSENT: 0.3}
"""Seconds from onset to apex: spontaneous smiles take about half a second (Schmidt, Cohn & Tian
2003), surprise is the quickest of the expressions."""


def unit_vector(units: dict[str, float], asymmetry: float = 0.0) -> Float[np.ndarray, "58"]:
    """Coefficients of a set of units; a name without side stands for Left and Right.

    `asymmetry` makes left units stronger by that share and right ones weaker.
    """
    vector = np.zeros(COEFFS)
    for name, weight in units.items():
        if name in INDEX:
            vector[INDEX[name]] = weight
        else:
            vector[INDEX[name + "Left"]] = weight * (1 + asymmetry)
            vector[INDEX[name + "Right"]] = weight * (1 - asymmetry)
    return vector


def pulse(
    frames: int, start: float, duration: float, attack: float, release: float
) -> Float[np.ndarray, "time"]:
    """0 to 1 and back: rises from `start` for `attack` s, falls for `release` s up to the end."""
    times = np.arange(frames) / FPS - start
    rise = np.clip(times / attack, 0, 1)
    fall = np.clip((duration - times) / release, 0, 1)
    return (1 - np.cos(np.pi * np.minimum(rise, fall))) / 2


def show(
    displays: list[Display], frames: int, expressiveness: float, asymmetry: float
) -> Float[np.ndarray, "time 58"]:
    """The coefficients that `displays` of one person add to the face at rest.

    Displays of one kind do not pile up (the stronger one shows); different kinds blend, but pressed
    lips give way to everything else: no one gapes and presses the lips at once.
    """
    total = np.zeros((frames, COEFFS))
    times = np.arange(frames) / FPS
    shown = np.zeros(frames)  # the strongest so far
    for kind, units in _UNITS.items():
        curve = np.zeros(frames)
        for display in displays:
            if display.kind == kind:
                shape = pulse(frames, display.start, display.duration, _ATTACK[kind], 0.6)
                # A held expression relaxes by a third before it is let go.
                relaxing = np.clip((times - display.start) / display.duration, 0, 1)
                curve = np.maximum(curve, display.strength * shape * (1 - relaxing / 3))
        if kind == ASSENT:
            curve *= 1 - np.minimum(1, 1.5 * shown)
        shown = np.maximum(shown, curve)
        total += curve[:, None] * unit_vector(units, asymmetry)
    return total * expressiveness
