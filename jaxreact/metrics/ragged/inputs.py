"""Checking ragged predictions and what they are compared with, at the door."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.errors import UserError
from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.targets import Targets
from jaxreact.predictions.sequences import checked_emotion

RAGGED_MODES = ("corrected", "react2026")
"""Of clips of any lengths: `corrected` is what the definitions say; `react2026` are the rules of
the REACT 2026 challenge."""


def is_ragged(predictions: Any, mode: str = "corrected", speaker: Any = None) -> bool:
    """Whether these are clips of several lengths, or to be scored by rules that are only for such.

    Clips of one length in a list are the same as one array of them, with speakers of that length.
    """
    if mode == "react2026":
        return True
    ours, theirs = _shapes(predictions), _shapes(speaker)
    frames = {shape[0] for shape in theirs} | {shape[-2] for shape in ours if theirs}
    return len(ours) > 1 or (len(ours) == 1 and len(frames) > 1)


def _shapes(given: Any) -> set[tuple[int, ...]]:
    """Those of the arrays in a list; none of what is no such list."""
    if not isinstance(given, (list, tuple)):
        return set()
    shapes = [getattr(each, "shape", ()) for each in given]
    return set(shapes) if all(len(shape) > 1 for shape in shapes) else set()


def check_ragged_mode(mode: str) -> None:
    """Raises `UserError` for a mode that clips of several lengths do not have."""
    if mode not in RAGGED_MODES:
        raise UserError(
            f"mode {mode!r} does not exist for clips of any lengths; choose from "
            f"{', '.join(RAGGED_MODES)}"
        )


def ragged_predictions(predictions: Sequence[ArrayLike]) -> list[Float[np.ndarray, "_ _ 25"]]:
    """Every clip's reactions (K, T_i, 25) as float32, once they are known to be finite.

    Raises `UserError` naming the clip that is something else, has another K than the first, or
    less than two frames.
    """
    clips = [
        checked_emotion(f"predictions[{index}]", clip, ("samples", "frames"))
        for index, clip in enumerate(predictions)
    ]
    if not clips:
        raise UserError("predictions: no clip in it; is the list empty?")
    for index, clip in enumerate(clips):
        if len(clip) != len(clips[0]):
            raise UserError(
                f"predictions[{index}]: shape {clip.shape}, but {len(clips[0])} samples in "
                f"predictions[0] of shape {clips[0].shape}; every clip needs as many"
            )
    return clips


def ragged_targets(
    targets: Sequence[Sequence[ArrayLike]], clips: Sequence[Float[np.ndarray, "_ _ 25"]]
) -> Targets:
    """What every clip is compared with: targets[i] are the (L_ij, 25) that suit clip i, the paired
    listener's first. An object that is in several lists is checked, and held, once.

    Raises `UserError` for another number of lists than clips, and naming the sequence that is
    something else, or not finite.
    """
    check_count("targets", targets, clips)
    sequences: list[np.ndarray] = []
    places: dict[int, tuple[Any, int]] = {}  # the object too, so that its number is not used anew
    lists = []
    for index, suiting in enumerate(targets):
        shape = getattr(suiting, "shape", (0, 0, 0))
        if len(shape) != 3:
            raise UserError(
                f"targets[{index}]: shape {shape}; expected a list of (frames, "
                f"{EMOTION_CHANNELS}), or give the neighbours too"
            )
        others = []
        for number, sequence in enumerate(suiting):
            if id(sequence) not in places:
                places[id(sequence)] = sequence, len(sequences)
                sequences.append(
                    checked_emotion(f"targets[{index}][{number}]", sequence, ("frames",))
                )
            others.append(places[id(sequence)][1])
        if not others:
            raise UserError(f"targets[{index}]: empty; every clip needs a target at least")
        lists.append(np.array(others))
    return Targets(sequences, lists)


def ragged_speakers(
    speakers: Sequence[ArrayLike], clips: Sequence[Float[np.ndarray, "_ _ 25"]]
) -> list[Float[np.ndarray, "_ 25"]]:
    """Every clip's speaker (S_i, 25) as float32; `UserError` as the others raise it."""
    check_count("speaker", speakers, clips)
    return [
        checked_emotion(f"speaker[{index}]", each, ("frames",))
        for index, each in enumerate(speakers)
    ]


def check_count(name: str, given: Sequence[Any], clips: Sequence[Any]) -> None:
    """Raises `UserError` where there is not one entry for each clip."""
    if len(given) != len(clips):
        raise UserError(f"{name}: {len(given)} entries for {len(clips)} clips of predictions")
