"""What of a face is shown over time, in pictures, in reports and on the player's page."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from jaxreact.face import EMOTIONS, EXPRESSIONS, INDEX, PITCH, ROLL, YAW, degrees_from_upright


@dataclass(frozen=True)
class Curve:
    """One curve of a face: a value, or the mean of several alike."""

    title: str
    source: Literal["emotion", "angles", "coeffs"]
    """What it is read from; angles are the coefficients' rotation in degrees from upright."""
    columns: tuple[int, ...]
    """In the 25 channels of the emotion, or in the 58 coefficients."""
    range: tuple[float, float]
    """Ends of the axis, which grows where a curve leaves it."""
    unit: str = ""

    @property
    def label(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def of(
        self,
        coeffs: Float[np.ndarray, "*batch 58"] | None,
        emotion: Float[np.ndarray, "*batch 25"] | None,
    ) -> Float[np.ndarray, "*batch"] | None:
        """Its values in raw coefficients and emotion; None where what it needs is not known."""
        values = emotion if self.source == "emotion" else coeffs
        if values is None:
            return None
        if self.source == "angles":
            return degrees_from_upright(values, self.columns[0])
        return np.asarray(values[..., list(self.columns)].mean(axis=-1))


_MEANINGS = {
    "AU1": "Inner brow raised",
    "AU2": "Outer brow raised",
    "AU4": "Brow lowered",
    "AU6": "Cheeks raised",
    "AU7": "Lids tightened",
    "AU9": "Nose wrinkled",
    "AU10": "Upper lip raised",
    "AU12": "Smile",
    "AU14": "Dimples",
    "AU15": "Lip corners down",
    "AU17": "Chin raised",
    "AU23": "Lips tightened",
    "AU24": "Lips pressed",
    "AU25": "Lips apart",
    "AU26": "Jaw dropped",
}
_SIGNED = {"valence": "Valence", "arousal": "Arousal"}


def _of_emotion(name: str) -> Curve:
    column = (EMOTIONS.index(name),)
    if name in _SIGNED:
        return Curve(_SIGNED[name], "emotion", column, (-0.5, 0.5), "-1 to 1")
    title = f"{_MEANINGS[name]} ({name})" if name in _MEANINGS else name
    return Curve(title, "emotion", column, (0.0, 1.0))


def _weight(title: str, high: float, *units: str) -> Curve:
    return Curve(title, "coeffs", tuple(INDEX[unit] for unit in units), (0.0, high), "weight")


EMOTION = {name: _of_emotion(name) for name in EMOTIONS}
"""The 25 channels of the emotion, by their names in the data set."""

ANGLES = {
    "pitch": Curve("Head pitch", "angles", (PITCH,), (-10.0, 10.0), "° down"),
    "yaw": Curve("Head yaw", "angles", (YAW,), (-10.0, 10.0), "° to own left"),
    "roll": Curve("Head roll", "angles", (ROLL,), (-10.0, 10.0), "° to own right"),
}

UNITS = {name: Curve(name, "coeffs", (INDEX[name],), (0.0, 0.4)) for name in EXPRESSIONS}
"""The 52 expression units."""

IN_PICTURES = (
    _weight("Jaw open", 0.4, "jawOpen"),
    _weight("Smile", 0.6, "mouthSmileLeft", "mouthSmileRight"),
    _weight("Brow raised", 0.4, "browInnerUp"),
    _weight("Blink", 1.0, "eyeBlinkLeft", "eyeBlinkRight"),
    ANGLES["pitch"],
    ANGLES["yaw"],
    EMOTION["valence"],
)
"""A handful of telling ones, for a picture of a training."""

IN_REPORTS = (EMOTION["AU12"], EMOTION["AU4"], EMOTION["valence"], ANGLES["pitch"])
"""The same for a clip of an evaluation, whose emotion is always known."""
