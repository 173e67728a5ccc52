"""Checking what the scores are computed from, at the door, so that no score has to."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.errors import ArgumentError, UserError
from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.ragged.inputs import is_ragged

MODES = ("corrected", "original")
"""`corrected` is what the definitions say; `original` is what the original program prints."""


def check_mode(mode: str) -> None:
    """Raises `UserError` for a mode that does not exist."""
    if mode not in MODES:
        raise UserError(f"mode {mode!r} does not exist; choose from {', '.join(MODES)}")


def check_fps(fps: int) -> None:
    """Raises `ArgumentError` for what is no number of frames a second."""
    if fps < 1:
        raise ArgumentError(f"fps: {fps} is no number of frames a second; give 1 or more")


def as_predictions(
    predictions: ArrayLike | Sequence[ArrayLike],
) -> Float[np.ndarray, "clips samples frames 25"]:
    """The predictions as float32, once they are known to be (N, K, T, 25), T > 1, and finite."""
    if is_ragged(predictions):
        raise UserError(
            "predictions: clips of several shapes; leave the neighbours out, and give what each is "
            "compared with as a list of lists"
        )
    array = np.asarray(predictions)
    check_sequences("predictions", array, ("clips", "samples", "frames", EMOTION_CHANNELS))
    return array.astype(np.float32, copy=False)


def as_sequences(
    name: str,
    sequences: ArrayLike | Sequence[ArrayLike] | Sequence[Sequence[ArrayLike]],
    predictions: Float[np.ndarray, "clips samples frames 25"],
) -> Float[np.ndarray, "clips frames 25"]:
    """The listener's or speaker's emotion as float32 (N, T, 25), for the same clips and frames."""
    array = np.asarray(sequences)  # pyright: ignore[reportArgumentType, reportCallIssue]
    clips, _, frames, _ = predictions.shape
    if array.shape != (clips, frames, EMOTION_CHANNELS):
        raise UserError(
            f"{name}: shape {array.shape} does not fit predictions of shape {predictions.shape}; "
            f"expected {(clips, frames, EMOTION_CHANNELS)}"
        )
    check_sequences(name, array, ("clips", "frames", EMOTION_CHANNELS))
    return array.astype(np.float32, copy=False)


def neighbour_lists(
    neighbours: ArrayLike, predictions: Float[np.ndarray, "clips samples frames 25"]
) -> list[np.ndarray]:
    """For every clip the indices of the listeners that suit it.

    Entries exactly 1 count; columns beyond the clips at hand are skipped (behaviour 4). Raises
    `UserError` for another number of rows, and for fewer columns than clips.
    """
    array = np.asarray(neighbours)
    clips = len(predictions)
    if array.ndim != 2 or len(array) != clips or array.shape[1] < clips:
        raise UserError(
            f"neighbours: shape {array.shape} does not fit predictions of shape "
            f"{predictions.shape}; expected ({clips}, {clips} or more)"
        )
    return [np.flatnonzero(row[:clips] == 1) for row in array]


def check_sequences(name: str, array: np.ndarray, axes: tuple[str | int, ...]) -> None:
    """Raises `UserError` for sequences of other axes than these, of which the last one is the
    number of channels, for no clip or a single frame, and for values that are no finite numbers.
    """
    if array.ndim == len(axes) and not len(array):
        raise UserError(f"{name}: no clip in it (shape {array.shape}); is the split empty?")
    fits = array.ndim == len(axes) and array.shape[-1] == axes[-1]
    if not fits or 0 in array.shape or array.shape[-2] < 2:
        expected = ", ".join(str(axis) for axis in axes)
        raise UserError(f"{name}: shape {array.shape}; expected ({expected}) with 2 frames or more")
    if array.dtype.kind not in "fiub":
        raise UserError(f"{name}: {array.dtype} instead of numbers")
    for clip, values in enumerate(array):
        if not np.isfinite(values).all():
            *sample, frame, channel = np.argwhere(~np.isfinite(values))[0]
            where = f"clip {clip}, " + "".join(f"sample {index}, " for index in sample)
            raise UserError(f"{name}: not finite in {where}frame {frame}, channel {channel}")
