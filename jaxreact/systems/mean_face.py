"""The data set's mean face, which converted models are given beside their weights."""

from pathlib import Path

import numpy as np

from jaxreact.errors import UserError, reading
from jaxreact.face import COEFFS


def read_mean_face(path: Path) -> list[float]:
    """The 58 numbers of the data set's mean_face.npy. Raises UserError where they are not."""
    with reading(path, "not a readable .npy file"):
        values = np.load(path, allow_pickle=False)
    if not isinstance(values, np.ndarray) or values.size != COEFFS or values.dtype.kind != "f":
        raise UserError(f"{path}: a mean face is {COEFFS} floating-point numbers")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{path}: the mean face holds numbers that are not finite")
    return values.reshape(-1).tolist()
