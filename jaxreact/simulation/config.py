"""What `simulate` is asked for."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxreact.errors import UserError, check_seed
from jaxreact.face import FPS

VERSIONS = {"react2024": 1, "mars": 2}
"""Of each layout; raised whenever the same configuration would give other files."""

PICTURE_SIZE = 256
"""Pixels of a side of the data set's own pictures."""

SPLITS = ("train", "val", "test")
_DEFAULT_DYADS = 24


@dataclass(frozen=True)
class SimulateConfig:
    """Writes simulated conversations in the layout of one of the challenge's data sets."""

    out: Path
    """Folder to create; must not exist, be empty, or hold the same simulation already."""
    dyads: int | None = None
    """Recorded pairs of persons over all splits, at least 3; 24 unless --split says otherwise."""
    split: tuple[int, int, int] | None = None
    """Pairs in train, val and test; by default a sixth each in val and test."""
    layout: Literal["react2024", "mars"] = "react2024"
    """Of REACT2024; or of MARS (2025 and 2026): folders instead of lists, sessions of several
    listeners, 30 frames a second, lengths of 0.6 to 1.4 times --seconds, persons' Big Five, EEG and
    the litter of archives."""
    seed: int = 0
    """Same seed, same files, bit for bit, whatever the number of workers."""
    seconds: float = 30.04
    """Length of every clip; 30.04 s are the data set's 751 frames at 25 frames a second."""
    pictures: int | None = None
    """Also draw every frame with the built-in head, so many pixels a side, as systems need it that
    see the speaker (trans-vae). A clip of 30 s takes a core 2 s and 1.5 MB with 32 pixels, 9 s and
    20 MB with 256, which are the data set's own."""
    video: bool = False
    """The same as --pictures 256."""
    workers: int | None = None
    """Processes; by default one per core."""

    def __post_init__(self):
        if min(self.sizes) < 1:
            raise UserError(
                f"{self.sizes} pairs in train, val and test: each needs one; give --dyads 3 or more"
            )
        if self.dyads is not None and self.dyads != sum(self.sizes):
            raise UserError(f"--dyads {self.dyads} is not the sum of --split {self.split}")
        if not (math.isfinite(self.seconds) and 2 <= self.seconds <= 3600):
            raise UserError(f"--seconds {self.seconds}: choose a length from 2 to 3600 s")
        if self.pictures is not None and (self.video or not 8 <= self.pictures <= 1024):
            raise UserError(
                f"--pictures {self.pictures}: choose 8 to 1024 pixels, and leave --video out"
            )
        if self.workers is not None and self.workers < 1:
            raise UserError(f"--workers {self.workers}: at least one is needed")
        check_seed(self.seed)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Pairs in train, val and test."""
        if self.split is not None:
            return self.split
        dyads = _DEFAULT_DYADS if self.dyads is None else self.dyads
        held_out = max(1, round(dyads / 6))
        return dyads - 2 * held_out, held_out, held_out

    @property
    def frames(self) -> int:
        """Video frames, and coefficient steps, of a clip."""
        return round(self.seconds * FPS)

    @property
    def picture_size(self) -> int | None:
        """Side of the pictures in pixels; None where none are drawn."""
        return PICTURE_SIZE if self.video else self.pictures

    @property
    def identity(self) -> dict[str, object]:
        """All that the files depend on, as JSON values."""
        return {
            "simulation": "jaxreact.simulation",
            "version": VERSIONS[self.layout],
            "seed": self.seed,
            "split": list(self.sizes),
            "frames": self.frames,
            "video": self.video,
            **({} if self.pictures is None else {"pictures": self.pictures}),
            **({} if self.layout == "react2024" else {"layout": self.layout}),
        }
