"""A root in the REACT2024 layout: lists name its pairs, and matrices who suits whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from jaxreact.data.contents import count_frames, load_coeffs, load_emotion
from jaxreact.data.layout import COEFFS, REACT2024, SPLITS, Release
from jaxreact.data.react2024 import files
from jaxreact.data.react2024.neighbours import neighbours
from jaxreact.data.recordings import Recordings


@dataclass(frozen=True)
class React2024(Recordings):
    """Where its files lie, and the traps on the way: `files`; the matrices: `neighbours`."""

    equal_lengths: ClassVar[bool] = True
    video_folder: ClassVar[str] = files.VIDEO_FOLDER
    without: ClassVar[str] = "take their rows out of the list, and out of its neighbour matrix"

    @property
    def release(self) -> Release:
        """As `Conversations.release`."""
        return REACT2024

    def splits(self) -> tuple[str, ...]:
        """Those whose list is here."""
        return tuple(split for split in SPLITS if (self.path / f"{split}.csv").is_file())

    def pairs(self, split: str) -> list[tuple[str, str]]:
        """The rows of a split's list: `files.read_pairs`."""
        return files.read_pairs(self.path, split)

    def lists(self, split: str) -> str:
        """Its csv file."""
        return f"{split}.csv"

    def find(self, split: str, modality: str, name: str) -> Path | None:
        """The literal path, or a known variant: `files.find`."""
        return files.find(self.path, split, modality, name)

    def expected(self, split: str, modality: str, name: str) -> str:
        """As `files.expected`."""
        return files.expected(split, modality, name)

    def modality_folder(self, split: str, modality: str) -> Path:
        """As `files.modality_folder`."""
        return files.modality_folder(self.path, split, modality)

    def unlisted(self, split: str, modality: str, names: Iterable[str]) -> list[Path]:
        """As `files.unlisted`."""
        return files.unlisted(self.path, split, modality, names)

    def video_source(self, split: str, name: str) -> Path | None:
        """As `files.video_source`."""
        return files.video_source(self.path, split, name)

    def load(self, modality: str, path: Path, *, quietly: bool = False) -> np.ndarray:
        """Coefficients by `contents.load_coeffs`, emotion by `contents.load_emotion`."""
        return load_coeffs(path) if modality == COEFFS else load_emotion(path, quietly=quietly)

    def count(self, modality: str, path: Path) -> int:
        """As `contents.count_frames`."""
        return count_frames(modality, path)

    def neighbours(self, split: str, n: int) -> Float[np.ndarray, "n n"]:
        """The split's matrix of appropriate reactions: `neighbours.neighbours`."""
        return neighbours(self.path, split, n)
