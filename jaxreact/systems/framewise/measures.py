"""What is known of faces before training: their mean, how far they move, and their limits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality

_LEAST_DEVIATION = 1e-3
"""Of channels that hardly move."""


@dataclass(frozen=True)
class Measures:
    """Of mean-subtracted coefficients, float32."""

    mean: Float[np.ndarray, "58"]
    std: Float[np.ndarray, "58"]
    low: Float[np.ndarray, "58"]
    high: Float[np.ndarray, "58"]


def measured_faces(path: Path, mean_face: Float[np.ndarray, "58"]) -> Measures:
    """Of everybody in the training split of the data at `path`, each of whom listens once."""
    conversations = open_conversations(path)
    sums, squares, frames = np.zeros(58), np.zeros(58), 0
    low, high = np.full(58, np.inf), np.full(58, -np.inf)
    for dyad in conversations.dyads("train", (Modality("listener", "coeffs"),)):
        face = conversations.coeffs(dyad.listener).astype(np.float64) - mean_face
        sums += face.sum(axis=0)
        squares += np.square(face).sum(axis=0)
        frames += len(face)
        low, high = np.minimum(low, face.min(axis=0)), np.maximum(high, face.max(axis=0))
    mean = sums / frames
    std = np.sqrt(np.maximum(squares / frames - mean**2, _LEAST_DEVIATION**2))
    return Measures(*(part.astype(np.float32) for part in (mean, std, low, high)))
