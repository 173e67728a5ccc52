"""Writing `predictions.npz`."""

from pathlib import Path

import numpy as np

from jaxreact.files import replacing
from jaxreact.predictions.npz import write_npz
from jaxreact.predictions.predictions import Predictions

ARRAYS = ("emotion", "coeffs", "listener", "speaker")


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Writes `predictions.npz`, uncompressed since noise does not compress, whole or not at all.

    Arrays that are mapped pass through memory a clip at a time.
    """
    arrays = {name: getattr(predictions, name) for name in ARRAYS}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    with replacing(path) as temporary:
        write_npz(temporary, arrays | texts(predictions.clips, predictions.made_with))


def texts(clips: tuple[str, ...] | None, made_with: str | None) -> dict[str, np.ndarray]:
    """What `predictions.npz` holds besides numbers."""
    arrays = {}
    if clips is not None:
        arrays["clips"] = np.array(clips, dtype=np.str_)
    if made_with is not None:
        arrays["made_with"] = np.array(made_with, dtype=np.str_)
    return arrays
