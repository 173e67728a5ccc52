"""The faces of a data set's persons, beside predicted ones, for the scores that need them."""

import warnings

import numpy as np
from jaxtyping import Bool, Float

from jaxreact.data.conversations import holds
from jaxreact.data.layout import AUDIO, COEFFS
from jaxreact.data.split import Split
from jaxreact.errors import Remark, UserError
from jaxreact.face import FPS
from jaxreact.metrics.behaviour import voice_activity
from jaxreact.metrics.faces import Faces


def recorded_faces(
    split: Split | None, predicted: Float[np.ndarray, "clips samples frames 58"] | None
) -> Faces | None:
    """The predicted coefficients beside those of the split's persons, cut to as many frames.

    None where the predictions are emotion alone, where there is no split, and where it has no
    coefficients; without sound it is not known when the speakers speak. What the split has in part,
    damaged or too short is left out too, with a `Remark`.
    """
    if predicted is None or split is None:
        return None
    frames = predicted.shape[2]
    with_faces = _with(split, COEFFS, frames)
    if with_faces is None:
        return None
    with_sound = _with(split, AUDIO, 0)
    speaking = None if with_sound is None else _speaking(with_sound, frames)
    return Faces(predicted, *with_faces.faces(frames), speaking)


def _with(split: Split, modality: str, frames: int) -> Split | None:
    """The split opened for a modality, if every clip has so many frames of it."""
    if not holds(split.data, split.name, modality):
        return None
    try:
        opened = Split(split.data, split.name, split.data.dyads(split.name, (modality,)))
    except UserError as error:
        warnings.warn(f"scores that need {modality} are left out: {error}", Remark, stacklevel=3)
        return None
    if opened.shortest.frames < frames:
        name, there = opened.shortest.speaker.name, opened.shortest.frames
        lacking = f"{name} in {split.data.path} has {there} frames of {frames}"
        warnings.warn(f"scores that need {modality} are left out: {lacking}", Remark, stacklevel=3)
        return None
    return opened


def _speaking(split: Split, frames: int) -> Bool[np.ndarray, "clips frames"]:
    """Whether each speaker speaks; nobody does after the end of a sound."""
    activity = np.zeros((len(split.dyads), frames), bool)
    for row, dyad in zip(activity, split.dyads, strict=True):
        found = voice_activity(*split.data.sound(dyad.speaker, frames / FPS))[:frames]
        row[: len(found)] = found
    return activity
