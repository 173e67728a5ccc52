"""The 25 emotion channels of a face, as a fixed function of its coefficients."""

import numpy as np
from jaxtyping import Float

from jaxreact.face import ACTION_UNIT_NAMES, FPS, INDEX

_AU_UNITS: dict[str, dict[str, float]] = {
    "AU1": {"browInnerUp": 1.0},
    "AU2": {"browOuterUp": 1.0},
    "AU4": {"browDown": 1.0},
    "AU6": {"cheekSquint": 1.0},
    "AU7": {"eyeSquint": 1.6},
    "AU9": {"noseSneer": 1.0},
    "AU10": {"mouthUpperUp": 1.3, "mouthSmile": -0.2},
    "AU12": {"mouthSmile": 1.0},
    "AU14": {"mouthDimple": 1.2},
    "AU15": {"mouthFrown": 1.0},
    "AU17": {"mouthShrugLower": 1.2},
    "AU23": {"mouthRollLower": 0.8, "mouthRollUpper": 0.8},
    "AU24": {"mouthPress": 1.1},
    "AU25": {"jawOpen": 1.6, "mouthLowerDown": 1.6, "mouthUpperUp": 0.6},
    "AU26": {"jawOpen": 1.4},
}
_ON, _OFF = 0.25, 0.16
"""An action unit begins where its intensity passes the one and ends where it falls below the other,
so that it does not flicker at one threshold."""


def _side_mean(coeffs: np.ndarray, name: str) -> np.ndarray:
    if name in INDEX:
        return coeffs[:, INDEX[name]]
    return (coeffs[:, INDEX[name + "Left"]] + coeffs[:, INDEX[name + "Right"]]) / 2


def _weighted(coeffs: np.ndarray, units: dict[str, float]) -> np.ndarray:
    parts = [weight * _side_mean(coeffs, name) for name, weight in units.items()]
    return np.sum(parts, axis=0)


def _smooth(tracks: np.ndarray, seconds: float) -> np.ndarray:
    """Moving average along time that keeps the ends at their own level."""
    half = round(seconds * FPS / 2)
    padded = np.pad(tracks, ((half, half), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0)
    return (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)


def _hysteresis(intensity: np.ndarray) -> np.ndarray:
    """1 from where a column rises over `_ON` until it falls under `_OFF`, else 0."""
    decided = (intensity > _ON) | (intensity < _OFF)
    decided[0] = True
    last = np.maximum.accumulate(np.where(decided, np.arange(len(intensity))[:, None], 0), axis=0)
    return (np.take_along_axis(intensity, last, axis=0) > _ON).astype(float)


def _affect(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Valence and arousal in (-1, 1), and the eight probabilities, from AU intensities (T, 15)."""
    au = dict(zip(ACTION_UNIT_NAMES, units.T, strict=True))
    happy = (au["AU6"] + au["AU12"]) / 2
    sad = (au["AU15"] + au["AU17"] + np.minimum(au["AU1"], au["AU4"])) / 3
    surprise = np.maximum((au["AU1"] + au["AU2"]) / 2 - au["AU4"], 0)
    disgust = au["AU9"]
    fear = np.minimum(np.minimum(au["AU1"], au["AU2"]), au["AU26"])
    anger = np.minimum(au["AU4"], au["AU23"])
    contempt = np.maximum(au["AU14"] - au["AU12"], 0)
    valence = np.tanh(1.6 * happy - 1.5 * sad - 1.3 * disgust + 0.2 * surprise)
    arousal = np.tanh(0.7 * au["AU26"] + 0.6 * happy + 1.2 * surprise + 0.5 * disgust - 0.1)
    strength = np.stack([happy, sad, surprise, fear, disgust, anger, contempt])
    logits = np.stack([np.full(len(units), 3.5), *(13.0 * strength * _PRIOR[:, None])])
    odds = np.exp(logits - logits.max(axis=0))
    return np.stack([valence, arousal], axis=1), (odds / odds.sum(axis=0)).T


_PRIOR = np.array([1.0, 1.2, 1.0, 0.6, 1.0, 0.6, 0.5])
"""Happy, Sad, Surprise, Fear, Disgust, Anger, Contempt: how readily a recogniser says so."""


def emotion_from_coefficients(coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 25"]:
    """The emotion channels of raw coefficients (T, 58): occurrences, valence-arousal, expressions.

    The real labels come from video through recognisers; here they are computed from the face
    itself, so everything that the labels say can be read from the coefficients within a second.
    Action units are smoothed over 0.2 s (0.6 s for AU25 and AU26, which bridges syllables) and
    thresholded with hysteresis; valence, arousal and expressions are smoothed over 0.6 s. Which
    units make which expression follows Ekman & Friesen's prototypes.
    """
    raw = np.stack([_weighted(coeffs, _AU_UNITS[name]) for name in ACTION_UNIT_NAMES], axis=1)
    quick, slow = _smooth(raw, 0.2), _smooth(raw, 0.6)
    quick[:, -2:] = slow[:, -2:]
    valence_arousal, expressions = _affect(slow)
    return np.concatenate([_hysteresis(quick), valence_arousal, expressions], axis=1)
