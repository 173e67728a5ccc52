"""What an examination finds, and what it knows of the files that are in order."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from jaxreact.data.layout import MODALITIES
from jaxreact.face import FPS

REMARK, PROBLEM, FATAL = "remark", "problem", "fatal"
"""A remark keeps nothing from being packed; a problem does, unless what it concerns is left out;
what is fatal concerns the whole data set."""

SLIGHT = 1
"""Frames by which lengths differ in the release itself (see `contents`)."""
CUT_OFF = FPS
"""Frames beyond which a difference in length means that a file is cut off: a second."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    kind: str
    """Kind of trouble, in a word or two: "missing", "not finite", "length", ..."""
    path: str
    """The file concerned, below the root."""
    message: str
    """What is wrong with it; may be empty where the kind says everything."""
    severity: Literal["remark", "problem", "fatal"] = PROBLEM
    split: str | None = None
    clip: str | None = None
    """The clip whose pairs it concerns."""
    pair: int | None = None
    """The one pair it concerns, as a position in the split's list."""


@dataclass(frozen=True)
class Source:
    """A file that is in order: its place below the root, its length in frames, and its digest."""

    file: str
    frames: int
    sha256: str


@dataclass(frozen=True)
class ClipFacts:
    """What an examination of one clip gives; `sources` by modality."""

    split: str
    name: str
    sources: dict[str, Source]
    findings: tuple[Finding, ...] = ()
    mean: tuple[float, ...] | None = None
    """The mean of its 58 raw coefficients, where these make sense."""


@dataclass(frozen=True)
class Matrix:
    """A split's neighbour matrix over all its mirrored pairs, if there is one, and its story."""

    values: UInt8[np.ndarray, "n n"] | None
    story: str


@dataclass(frozen=True)
class SplitFacts:
    """A split whose list can be read."""

    pairs: list[tuple[str, str]]
    clips: dict[str, ClipFacts]
    matrix: Matrix

    def lengths(self) -> list[int]:
        """Frames of each pair whose files are all in order."""
        return [
            min(source.frames for name in pair for source in self.clips[name].sources.values())
            for pair in self.pairs
            if all(len(self.clips[name].sources) == len(MODALITIES) for name in pair)
        ]


@dataclass(frozen=True)
class Examination:
    """Everything about a data set."""

    root: str
    splits: dict[str, SplitFacts]
    absent: tuple[str, ...]
    """Splits without a list."""
    mean_face: list[float] | None
    findings: list[Finding] = field(default_factory=list)

    def of(self, *severities: str) -> list[Finding]:
        """Findings of some severities."""
        return [finding for finding in self.findings if finding.severity in severities]
