"""One clip's files, and those of the whole data set, in the REACT2024 layout."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float

from jaxreact.data.react2024.neighbours import build_neighbours
from jaxreact.face import ACTION_UNITS, EMOTIONS, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
from jaxreact.simulation.cast import Session
from jaxreact.simulation.config import SPLITS
from jaxreact.simulation.conversation import Performance
from jaxreact.simulation.voice import SAMPLE_RATE

_REFERENCE_SIZE = 486
_REFERENCE_ROTATION, _REFERENCE_TRANSLATION = slice(453, 456), slice(483, 486)


def _below(root: Path, split: str, folder: str, name: str) -> Path:
    path = root / split / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_clip(root: Path, split: str, name: str, performance: Performance) -> None:
    """Writes coefficients, emotion table (one row less than frames, as released) and sound."""
    np.save(_below(root, split, "3D_FV_files", f"{name}.npy"), performance.coeffs)
    units = ACTION_UNITS.stop
    formats = ["%d"] * units + ["%.5f"] * (len(EMOTIONS) - units)
    np.savetxt(
        _below(root, split, "Emotion", f"{name}.csv"),
        performance.emotion[:-1],
        fmt=formats,
        delimiter=",",
        header=",".join(EMOTIONS),
        comments="",
    )
    samples = np.round(performance.waveform * 32767).astype(np.int16)
    sound = _below(root, split, "Audio_files", f"{name}.wav")
    soundfile.write(sound, samples, SAMPLE_RATE, subtype="PCM_16")


def _write_table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_lists(root: Path, sessions: list[Session]) -> None:
    """Writes `train.csv`, `val.csv`, `test.csv` and `data_indices.csv`."""
    for split in SPLITS:
        chosen = [session for session in sessions if session.split == split]
        rows = [(number, s.path(0), s.path(1)) for number, s in enumerate(chosen)]
        _write_table(root / f"{split}.csv", [("", "speaker_path", "listener_path"), *rows])
    keys = [session.key for session in sessions]
    _write_table(root / "data_indices.csv", [("site", "chat_index", "clip_index"), *keys])


def write_neighbours(root: Path, matrix: Float[np.ndarray, "rows rows"]) -> None:
    """Writes the whole matrix (under the release's misspelt name) and each split's part of it.

    Needs the lists. Rows are the sessions, then the sessions with their roles exchanged.
    """
    np.save(root / "Approprirate_facial_reaction.npy", matrix)
    for split in SPLITS:
        np.save(root / f"neighbour_emotion_{split}.npy", build_neighbours(root, split))


def write_faces(root: Path, mean: Float[np.ndarray, "58"], std: Float[np.ndarray, "58"]) -> None:
    """Writes `mean_face.npy`, `std_face.npy` and `reference_full.npy`, all float32.

    The reference is the average person (identity zero) looking into the camera; of its 486
    coefficients (data_format section 3) only the identity is ever drawn.
    """
    np.save(root / "mean_face.npy", mean.astype(np.float32))
    np.save(root / "std_face.npy", std.astype(np.float32))
    reference = np.zeros((1, 1, _REFERENCE_SIZE), np.float32)
    reference[..., _REFERENCE_ROTATION] = NEUTRAL_ROTATION
    reference[..., _REFERENCE_TRANSLATION] = NEUTRAL_TRANSLATION
    np.save(root / "reference_full.npy", reference)
