"""What is inside the files of a clip: reading them, and their lengths without reading them.

The lengths of one clip's files differ by one in the release (751 coefficient frames, 750 emotion
rows under a header line); here they are read whole, `Clip.frames` is the common length.
"""

import math
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jaxreact.data.layout import AUDIO, COEFFS, EMOTION
from jaxreact.data.npy import map_npy
from jaxreact.errors import NotFiniteError, ShapeError, UserError
from jaxreact.face import COEFFS as COEFF_COUNT
from jaxreact.face import EMOTION_CHANNELS, FPS


def load_coeffs(path: Path) -> Float[np.ndarray, "frames 58"]:
    """Reads a clip's face coefficients: (frames, 58) float32, raw (mean face included).

    Raises `UserError` with the path for a file that is no plain array (pickles are refused), of
    another shape, or with values that are not finite.
    """
    return _finite(path, _as_table(path, open_array(path)))


def load_emotion(path: Path) -> Float[np.ndarray, "frames 25"]:
    """Reads a clip's emotion channels: (frames, 25) float32, order of `face.EMOTIONS`.

    The first line is a header whatever it says (behaviour 12). Raises `UserError` with the path
    for text that is no table of 25 numbers a line, and for values that are not finite.
    """
    try:
        table = np.loadtxt(path, np.float32, delimiter=",", skiprows=1, ndmin=2, comments=None)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a table of numbers ({error}); copy it again") from None
    if table.shape[1] != EMOTION_CHANNELS:
        raise ShapeError(f"{path}: {table.shape[1]} columns instead of {EMOTION_CHANNELS}")
    return _finite(path, table)


def mean_face(root: str | Path) -> Float[np.ndarray, "58"]:
    """Reads `ROOT/mean_face.npy` (58,) float32: what is subtracted from raw coefficients.

    Raises `UserError` for a missing, mis-shaped or non-finite file.
    """
    path = Path(root) / "mean_face.npy"
    if not path.is_file():
        raise UserError(
            f"{path}: no such file; it is not part of REACT2024: copy mean_face.npy from the "
            "FaceVerse files that the challenge's baseline links to into the data root"
        )
    array = np.asarray(open_array(path), np.float32)
    if array.size != COEFF_COUNT:
        raise ShapeError(f"{path}: shape {array.shape} instead of ({COEFF_COUNT},)")
    return _finite(path, array.reshape(1, COEFF_COUNT))[0]


def count_frames(modality: str, path: Path) -> int:
    """Length of a file in frames (25 a second) from its header or line count; 0 for an empty one.

    A started frame of sound counts: 29.99 s are 750 frames. Raises `UserError` like the readers.
    """
    if modality == COEFFS:
        return len(_as_table(path, open_array(path)))
    if modality == EMOTION:
        with path.open("rb") as lines:
            return max(sum(1 for line in lines if line.strip()) - 1, 0)
    if modality != AUDIO:
        raise ValueError(f"no such modality: {modality}")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise UserError(f"{path}: not a sound file ({error.error_string})") from None
    return math.ceil(info.frames / info.samplerate * FPS - 1e-6)


def open_array(path: Path) -> np.ndarray:
    """Maps an npy file without reading it; one that would run pickled code is refused."""
    try:
        array = map_npy(path)
    except (ValueError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path}: not a plain npy array ({reason}); copy it again") from None
    if array.dtype.kind not in "fiub":
        raise UserError(f"{path}: not an npy array of numbers")
    return array


def _as_table(path: Path, array: np.ndarray) -> np.ndarray:
    """(T, 58), (T, 1, 58) or (T, 1, 1, 58) -> (T, 58)."""
    if array.ndim < 2 or array.shape[-1] != COEFF_COUNT or set(array.shape[1:-1]) - {1}:
        raise ShapeError(f"{path}: shape {array.shape} instead of (frames, {COEFF_COUNT})")
    return array.reshape(len(array), COEFF_COUNT)


def _finite(path: Path, table: np.ndarray) -> np.ndarray:
    table = np.ascontiguousarray(table, np.float32)
    bad = ~np.isfinite(table).all(axis=1)
    if bad.any():
        raise NotFiniteError(f"{path}: values that are not finite, first in frame {bad.argmax()}")
    return table
