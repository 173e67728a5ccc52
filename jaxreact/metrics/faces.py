"""Coefficients of faces, beside the emotion that the challenge's scores are made from."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.errors import UserError
from jaxreact.face import COEFFS
from jaxreact.metrics.inputs import check_sequences


@dataclass(frozen=True)
class Faces:
    """Raw coefficients of K predicted reactions to N clips, and of the recorded persons.

    predicted (N, K, T, 58), which may be mapped: it is read a clip at a time; listener and speaker
    (N, T, 58); speaking (N, T), whether the speaker speaks, None where there is no sound.
    """

    predicted: Float[np.ndarray, "..."]  # the shapes are checked below, with messages for users
    listener: Float[np.ndarray, "..."]
    speaker: Float[np.ndarray, "..."]
    speaking: Bool[np.ndarray, "..."] | None = None

    def of(self, predicted: Float[np.ndarray, "clips samples frames 58"]) -> "Faces":
        """Other reactions to the same clips."""
        return dataclasses.replace(self, predicted=predicted)


def check_faces(faces: Faces, predicted: Float[np.ndarray, "clips samples frames 25"]) -> None:
    """Raises `UserError` for faces that do not fit the predicted emotion, or are not finite."""
    clips, samples, frames, _ = predicted.shape
    expected = {
        "predicted": (clips, samples, frames, COEFFS),
        "listener": (clips, frames, COEFFS),
        "speaker": (clips, frames, COEFFS),
        "speaking": (clips, frames),
    }
    for name, shape in expected.items():
        array = getattr(faces, name)
        if array is not None and array.shape != shape:
            raise UserError(
                f"faces, {name}: shape {array.shape} does not fit emotion of shape "
                f"{predicted.shape}; expected {shape}"
            )
    check_sequences("faces, predicted", faces.predicted, ("clips", "samples", "frames", COEFFS))
    for name in ("listener", "speaker"):
        check_sequences(f"faces, {name}", getattr(faces, name), ("clips", "frames", COEFFS))
