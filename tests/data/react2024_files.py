"""A tiny data set in the REACT2024 layout, written by the tests themselves."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from jaxreact.face import EMOTIONS, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION

NOXI = ("NoXI/010_2016-03-25_Paris/Expert_video/1", "NoXI/010_2016-03-25_Paris/Novice_video/1")
POSE = np.array([*NEUTRAL_ROTATION, *NEUTRAL_TRANSLATION], np.float32)
MEAN_FACE = np.array([*np.full(52, 2.5), *POSE], np.float32)
RECOLA = ("RECOLA/group-2/P41/1", "RECOLA/group-2/P42/1")


@dataclass(frozen=True)
class TinyDataSet:
    """Two conversations; values tell whose they are (`number`) and of which frame, and make sense:
    faces are upright and where faces are, probabilities sum to about 1."""

    root: Path
    split: str = "train"

    @property
    def names(self) -> tuple[str, ...]:
        return NOXI + RECOLA

    def number(self, name: str) -> int:
        return self.names.index(name) + 1

    def path(self, folder: str, name: str, suffix: str) -> Path:
        return self.root / self.split / folder / f"{name}{suffix}"

    def coeffs(self, name: str, frames: int = 61) -> np.ndarray:
        values = self.number(name) + np.arange(frames, dtype=np.float32)[:, None] / 1024
        faces = np.tile(values, (1, 58))
        faces[:, 52:] = POSE + values / 8
        return faces

    def emotion(self, name: str, frames: int = 60) -> np.ndarray:
        table = self.coeffs(name, frames)[:, :25] / 8
        table[:, 17:] /= self.number(name)
        return np.round(table, 6)

    def write_clip(self, name: str) -> None:
        coeffs = self.path("3D_FV_files", name, ".npy")
        coeffs.parent.mkdir(parents=True, exist_ok=True)
        np.save(coeffs, self.coeffs(name)[:, None])
        self.write_emotion(name, self.emotion(name))
        sound = self.path("Audio_files", name, ".wav")
        sound.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(int(44100 * 2.4)) / 44100
        tone = 0.5 * np.sin(2 * np.pi * 220 * self.number(name) * time)
        soundfile.write(sound, np.stack([tone, tone], 1), 44100, subtype="PCM_16")

    def write_emotion(self, name: str, table: np.ndarray) -> Path:
        path = self.path("Emotion", name, ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(EMOTIONS)
            writer.writerows(table.tolist())
        return path

    def write_list(self, pairs: list[tuple[str, str]]) -> None:
        with (self.root / f"{self.split}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["", "speaker_path", "listener_path"])
            writer.writerows([number, *pair] for number, pair in enumerate(pairs))


def write_tiny(root: Path, split: str = "train") -> TinyDataSet:
    """Four clips of two conversations: 61 coefficient frames, 60 emotion rows, 2.4 s of sound."""
    data = TinyDataSet(root, split)
    for name in data.names:
        data.write_clip(name)
    data.write_list([NOXI, RECOLA])
    np.save(root / "mean_face.npy", MEAN_FACE)
    return data
