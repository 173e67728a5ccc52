"""How the commands of `jaxreact.metrics` score, and how sure they are to be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxreact.errors import ArgumentError, UserError, check_seed
from jaxreact.metrics.seams import PERIOD, check_period
from jaxreact.metrics.statistics.bootstrap import RESAMPLES
from jaxreact.metrics.statistics.intervals import check_resampling
from jaxreact.predictions import Layout, OriginalOrder


@dataclass(frozen=True)
class Options:
    """How to score, and how sure to be."""

    mode: Literal["corrected", "original", "react2026"] = "corrected"
    """"original" is what the original program prints for the same arrays. "react2026" are REACT
    2026's own rules, for a results.pt."""
    layout: Layout | None = None
    """Order of the axes of the predictions, where their sizes do not tell it."""
    original_order: OriginalOrder | None = None
    """The original program mixes clips. "undo" puts its file's right, "keep" leaves them mixed;
    "mix" mixes other predictions in the same way, for checking published rows only. `compare`
    applies "undo" and "keep" to the original's files alone."""
    frames: int | None = None
    """Score the first so many frames only; by default all there are of the predictions."""
    period: int = PERIOD
    """Seams are looked for after every so many frames: the blocks in which a system reacts."""
    by: Literal["conversation", "clip"] | None = None
    """What is resampled. Default: whole conversations, whose clips resemble each other, where the
    clips' names (<site>/<chat>/<person>/<clip>) are known, else single clips."""
    resamples: int = RESAMPLES
    """Bootstrap resamples, and exchanges of a test."""
    level: float = 0.95
    """Confidence level of the intervals."""
    seed: int = 0
    """Fixes the resamples and the random baseline."""
    draws: int = 10
    """In mode "react2026", how often targets are drawn where a clip has more than ten, and noise
    for the alignment."""
    alignment: Path | None = None
    """In mode "react2026", the challenge's network for targets that are not as long as their
    predictions, converted by convert_weights.py emotion-autoencoder."""
    json: Path | None = None
    """Also write everything to this file."""

    def check(self) -> None:
        """Raises `UserError` for options that no predictions fit."""
        check_resampling(self.resamples, self.level)
        check_seed(self.seed)
        check_period(self.period)
        if self.draws < 2:
            raise ArgumentError(f"--draws {self.draws} cannot show any spread; give 2 or more")
        if self.alignment is not None and self.mode != "react2026":
            raise UserError(f"--alignment: mode {self.mode} aligns nothing; add --mode react2026")

    def settings(self) -> dict[str, object]:
        """What the numbers depend on."""
        settings = {key: value for key, value in vars(self).items() if key not in ("json", "by")}
        return {**settings, "alignment": None if self.alignment is None else str(self.alignment)}
