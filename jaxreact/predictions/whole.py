"""`predictions.npz` of whole clips, each of its own length.

emotion_0, emotion_1, ..     (K, T_i, 25), coeffs_0, .. (K, T_i, 58) raw, T_i as the speaker's
listener_0, speaker_0, ..    (L_i, 25), (T_i, 25), the emotion of the recorded persons
neighbours (N, N)            row k: whose listeners suit clip k
rate                         frames a second
clips (N,), made_with        as in other predictions
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.errors import UserError
from jaxreact.face import COEFFS as COEFF_COUNT
from jaxreact.face import EMOTION_CHANNELS
from jaxreact.files import replacing
from jaxreact.predictions.npz import map_npz, write_npz
from jaxreact.predictions.writing import texts

WHOLE = "emotion_0"
"""The array by which such a file is known."""
_AGAIN = "evaluate again"
_MOST_RATE = 1000.0


@dataclass(frozen=True)
class WholePredictions:
    """K reactions to each of N clips; emotion alone where there are no coefficients."""

    emotion: list[Float[np.ndarray, "_ _ 25"]]
    coeffs: list[Float[np.ndarray, "_ _ 58"]] | None
    listener: list[Float[np.ndarray, "_ 25"]]
    speaker: list[Float[np.ndarray, "_ 25"]]
    neighbours: Bool[np.ndarray, "clips clips"]
    rate: float
    clips: tuple[str, ...]

    @property
    def targets(self) -> list[list[Float[np.ndarray, "_ 25"]]]:
        """For each clip the listeners that suit it, its own first."""
        return [
            [self.listener[clip], *(self.listener[n] for n in np.flatnonzero(row) if n != clip)]
            for clip, row in enumerate(self.neighbours)
        ]


def numbered(name: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays of clips under their names in a file."""
    return {f"{name}_{number}": array for number, array in enumerate(arrays)}


def beside(neighbours: Bool[np.ndarray, "clips clips"], rate: float) -> dict[str, np.ndarray]:
    """What stands beside the clips in a file."""
    return {"neighbours": neighbours, "rate": np.array(rate)}


def write_whole(path: Path, predictions: WholePredictions) -> None:
    """Writes such a file, whole or not at all; arrays that are mapped pass through a clip at a
    time."""
    arrays: dict[str, np.ndarray] = {}
    for name in ("emotion", "coeffs", "listener", "speaker"):
        rows = getattr(predictions, name)
        arrays |= {} if rows is None else numbered(name, rows)
    arrays |= beside(predictions.neighbours, predictions.rate)
    with replacing(path) as temporary:
        write_npz(temporary, {**arrays, **texts(predictions.clips, None)})


def holds_whole(path: Path) -> bool:
    """Whether a file holds whole clips; False for what is no npz file."""
    try:
        return WHOLE in map_npz(path)
    except UserError:
        return False


def read_whole(path: Path) -> WholePredictions:
    """Reads such a file; arrays are mapped, not read. Raises `UserError` naming what is missing."""
    arrays = map_npz(path)

    def of_clips(name: str, *axes: int) -> list[np.ndarray]:
        found = [arrays.get(f"{name}_{number}") for number in range(count)]
        for number, array in enumerate(found):
            if array is None or array.ndim != len(axes) or array.shape[-1] != axes[-1]:
                shape = "missing" if array is None else f"shape {array.shape}"
                raise UserError(f"{path}: {name}_{number}: {shape}; {_AGAIN}")
        return [array for array in found if array is not None]

    for name in ("clips", "neighbours", "rate"):
        if name not in arrays:
            raise UserError(f"{path}: holds no {name}; {_AGAIN}")
    count = arrays["clips"].size
    if not count or arrays["neighbours"].shape != (count, count) or arrays["rate"].size != 1:
        raise UserError(f"{path}: neighbours and rate do not fit {count} clips; {_AGAIN}")
    made = WholePredictions(
        of_clips("emotion", 0, 0, EMOTION_CHANNELS),
        of_clips("coeffs", 0, 0, COEFF_COUNT) if "coeffs_0" in arrays else None,
        of_clips("listener", 0, EMOTION_CHANNELS),
        of_clips("speaker", 0, EMOTION_CHANNELS),
        np.asarray(arrays["neighbours"]) > 0,
        float(arrays["rate"]),
        tuple(str(name) for name in arrays["clips"].ravel()),
    )
    if not 1 <= made.rate <= _MOST_RATE:
        raise UserError(f"{path}: rate {made.rate:g}; {_AGAIN}")
    for clip, (emotion, speaker) in enumerate(zip(made.emotion, made.speaker, strict=True)):
        faces = emotion if made.coeffs is None else made.coeffs[clip]
        alike = emotion.shape[:2] == (len(made.emotion[0]), len(speaker)) == faces.shape[:2]
        if not alike or not emotion.size or not len(made.listener[clip]):
            raise UserError(
                f"{path}: emotion_{clip} of shape {emotion.shape} does not fit what stands beside"
                f" it; {_AGAIN}"
            )
    return made
