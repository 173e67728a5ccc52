"""What is inside the files of a clip: reading them, and their lengths without reading them.

The lengths of one clip's files differ by one in the release (751 coefficient frames, 750 emotion
rows under a header line); here they are read whole, `Clip.frames` is the common length.
"""

import math
import warnings
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jaxreact.data.emotion_csv import count_rows, heading_of, read_emotion
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION
from jaxreact.data.npy import map_npy
from jaxreact.errors import NotFiniteError, Remark, ShapeError, UserError, reading
from jaxreact.face import COEFFS as COEFF_COUNT
from jaxreact.face import EMOTION_CHANNELS, FPS


def load_coeffs(path: Path) -> Float[np.ndarray, "frames 58"]:
    """Reads a clip's face coefficients: (frames, 58) float32, raw (mean face included).

    Raises `UserError` with the path for a file that is no plain array (pickles are refused), of
    another shape, or with values that are not finite.
    """
    return _finite(path, _as_table(path, open_array(path), COEFF_COUNT))


def load_attributes(path: Path) -> Float[np.ndarray, "frames 25"]:
    """Reads emotion channels from an npy file: (frames, 25) float32, order of `face.EMOTIONS`,
    which is all that can be assumed of a table without a header. Raises as `load_coeffs` does."""
    return _finite(path, _as_table(path, open_array(path), EMOTION_CHANNELS))


def load_emotion(path: Path, *, quietly: bool = False) -> Float[np.ndarray, "frames 25"]:
    """Reads a clip's emotion channels: (frames, 25) float32, order of `face.EMOTIONS`.

    Columns are found by their names, see `emotion_csv.heading_of`; what is doubtful about these is
    a `Remark`, unless it is read `quietly` because `count_frames` has said so. Raises `UserError`
    with the path for text that is no table of numbers, for columns that cannot be told, and for
    values that are not finite.
    """
    table, doubts = read_emotion(path)
    for doubt in () if quietly else doubts:
        warnings.warn(f"{path}: {doubt}", Remark, stacklevel=2)
    return _finite(path, table)


def mean_face(root: str | Path) -> Float[np.ndarray, "58"]:
    """Reads `ROOT/mean_face.npy` (58,) float32: what is subtracted from raw coefficients.

    Raises `UserError` for a missing, mis-shaped or non-finite file.
    """
    path = Path(root) / "mean_face.npy"
    if not path.is_file():
        raise UserError(
            f"{path}: no such file; neither REACT2024 nor MARS has it: copy mean_face.npy from the "
            "FaceVerse files that the challenge's baseline links to into the data root"
        )
    array = np.asarray(open_array(path), np.float32)
    if array.size != COEFF_COUNT:
        raise ShapeError(f"{path}: shape {array.shape} instead of ({COEFF_COUNT},)")
    return _finite(path, array.reshape(1, COEFF_COUNT))[0]


def count_frames(modality: str, path: Path) -> int:
    """Length of a file in its own frames from its header or line count; 0 for an empty one.

    Of sound they are 25 a second, and a started one counts: 29.99 s are 750 frames. Raises
    `UserError` like the readers, and says what is doubtful about an emotion table's columns, as a
    `Remark`.
    """
    if modality == COEFFS:
        return len(_as_table(path, open_array(path), COEFF_COUNT))
    if modality == EMOTION and path.suffix == ".npy":
        return len(_as_table(path, open_array(path), EMOTION_CHANNELS))
    if modality == EMOTION:
        heading = heading_of(path)
        for doubt in heading.doubts:
            warnings.warn(f"{path}: {doubt}", Remark, stacklevel=2)
        return count_rows(path, heading)
    if modality != AUDIO:
        raise ValueError(f"no such modality: {modality}")
    with reading(path, "not a sound file"):
        info = soundfile.info(path)
    return math.ceil(info.frames / info.samplerate * FPS - 1e-6)


def open_array(path: Path) -> np.ndarray:
    """Maps an npy file of real numbers without reading it; one of pickled objects is refused."""
    with reading(path, "not a plain npy array", "copy it again, or save its numbers by np.save"):
        array = map_npy(path)
    if array.dtype.kind not in "fiub":
        raise UserError(f"{path}: not an npy array of numbers but of {array.dtype}; save it again")
    return array


def load_square(path: Path) -> np.ndarray:
    """Maps a square matrix of numbers, as it is stored. Raises `UserError` if it is none."""
    matrix = open_array(path)
    if matrix.ndim != 2 or len(set(matrix.shape)) != 1:
        raise ShapeError(f"{path}: not a square matrix (shape {matrix.shape})")
    return matrix


def _as_table(path: Path, array: np.ndarray, channels: int) -> np.ndarray:
    """(T, C), (T, 1, C) or (T, 1, 1, C) -> (T, C)."""
    if array.ndim < 2 or array.shape[-1] != channels or set(array.shape[1:-1]) - {1}:
        raise ShapeError(
            f"{path}: shape {array.shape} instead of (frames, {channels}) or (frames, 1,"
            f" {channels})"
        )
    return array.reshape(len(array), channels)


def _finite(path: Path, table: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, and named so
        table = np.ascontiguousarray(table, np.float32)
    bad = ~np.isfinite(table).all(axis=1)
    if bad.any():
        raise NotFiniteError(f"{path}: values that are not finite, first in frame {bad.argmax()}")
    return table
