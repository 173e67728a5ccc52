"""Reactions of any lengths and what they are scored against, for all scores alike."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError, check_seed
from jaxreact.face import FPS
from jaxreact.metrics.inputs import check_fps
from jaxreact.metrics.parts import Parts
from jaxreact.metrics.ragged.challenge import Align, as_challenge, rounded_units
from jaxreact.metrics.ragged.inputs import (
    RAGGED_MODES,
    check_ragged_mode,
    ragged_predictions,
    ragged_speakers,
    ragged_targets,
)
from jaxreact.metrics.targets import Targets


@dataclass(frozen=True)
class RaggedReactions:
    """Reactions to N clips, each of its own length: checked, float32.

    `given` are all the targets there are, `speaker` the speakers' emotion; None where not known.
    `mode` is one of `RAGGED_MODES`, in "react2026" with rounded action units; `fps` are the frames
    a second. `align` and `seed` are used by mode "react2026" alone, where chance depends on a
    clip's number; the first one has the number `first`.
    """

    predicted: Sequence[Float[np.ndarray, "_ _ 25"]]
    given: Targets | None
    speaker: Sequence[Float[np.ndarray, "_ 25"]] | None
    mode: str
    fps: int
    align: Align | None
    seed: int
    first: int = 0

    @cached_property
    def targets(self) -> Targets:
        """What is compared with: in mode "react2026" those drawn, each in the clip's length.

        Raises `UserError` where these need an alignment and there is none.
        """
        assert self.given is not None
        if self.mode == "corrected":
            return self.given
        return as_challenge(self.given, self.predicted, self.align, self.seed, self.first)

    def stretch(self, start: int, stop: int) -> "RaggedReactions":
        """Those to the clips from `start` to before `stop`, by whose numbers chance goes on."""
        given, speaker = self.given, self.speaker
        return dataclasses.replace(
            self,
            predicted=self.predicted[start:stop],
            given=None if given is None else Targets(given.sequences, given.lists[start:stop]),
            speaker=None if speaker is None else speaker[start:stop],
            first=self.first + start,
        )


@dataclass(frozen=True)
class OfRagged:
    """How a score is had from clips of any lengths."""

    of_clips: Callable[[RaggedReactions], Parts]
    """What each clip adds to it."""
    needs: Literal["predictions", "targets", "speaker"] = "predictions"
    """What it is computed from; where that is not known there is no such score."""
    modes: tuple[str, ...] = RAGGED_MODES
    """In which modes it exists."""

    def can_be_had(self, reactions: RaggedReactions) -> bool:
        """Whether it exists in this mode, and what it needs is known."""
        known = {
            "predictions": True,
            "targets": reactions.given is not None,
            "speaker": reactions.speaker is not None,
        }
        return reactions.mode in self.modes and known[self.needs]


def ragged_reactions(
    predictions: Any,
    targets: Any = None,
    speaker: Any = None,
    mode: str = "corrected",
    *,
    fps: int = FPS,
    align: Align | None = None,
    seed: int = 0,
) -> RaggedReactions:
    """All of them checked: predictions[i] (K, T_i, 25), targets[i] a list of (L_ij, 25) with the
    paired listener's first, speaker[i] (S_i, 25).

    Raises `UserError` naming the entry that cannot be used, with its shape; that is how types are
    checked here, which arrays of any library may have.
    """
    check_ragged_mode(mode)
    check_fps(fps)
    if mode != "react2026" and align is not None:
        raise UserError("align: only mode react2026 aligns targets; leave it out")
    check_seed(seed, "seed")
    clips = ragged_predictions(predictions)
    given = None if targets is None else ragged_targets(targets, clips)
    heard = None if speaker is None else ragged_speakers(speaker, clips)
    if mode == "react2026":
        clips = rounded_units(clips)
    return RaggedReactions(clips, given, heard, mode, fps, align, seed)
