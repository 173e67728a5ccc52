"""Nods: whether a listener nods when the speaker pauses."""

import numpy as np

from jaxreact.errors import UserError
from jaxreact.metrics.behaviour import ANSWER_SECONDS, nod_starts, nods_soon, pause_starts
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.parts import ClipRatios
from jaxreact.metrics.score import Reactions, Score


def nods(faces: Faces) -> float:
    """Nods a minute that begin within a second after the speaker pauses, above chance.

    Nods = sum over n, k of (nods that begin in the second after each of clip n's pauses - what is
    expected of them by chance) over the minutes of all these seconds. Chance is the mean over all
    ways to move the clip's pauses around its circle of frames, which keeps how often each of the
    two acts and breaks only their relation: as many nods as begin in a second of the clip on
    average. It is exact, no random number is drawn.

    0 for who nods at any time or never; below 0 for who nods while the speaker speaks. NaN
    where no speaker pauses. Nods and pauses are those of
    `behaviour`. Source: this project's own; that listeners nod there, Ward & Tsukahara 2000. Raises
    `UserError` where it is not known when the speaker speaks.
    """
    if faces.speaking is None:
        raise UserError("faces: whether the speaker speaks is not known, which Nods needs")
    return _ratios(faces).total


def _ratios(faces: Faces) -> ClipRatios:
    assert faces.speaking is not None
    above, minutes = np.zeros(len(faces.predicted)), np.zeros(len(faces.predicted))
    for clip, (reactions, speaking) in enumerate(zip(faces.predicted, faces.speaking, strict=True)):
        pauses = pause_starts(speaking)
        soon = nods_soon(nod_starts(reactions))
        above[clip] = (soon[:, pauses] - soon.mean(axis=1, keepdims=True)).sum()
        minutes[clip] = len(soon) * len(pauses) * ANSWER_SECONDS / 60
    return ClipRatios(above, minutes)


def _of_clips(reactions: Reactions) -> ClipRatios:
    assert reactions.faces is not None
    return _ratios(reactions.faces)


NODS = Score(
    name="Nods",
    of_clips=_of_clips,
    meaning="Nods a minute that begin within a second after the speaker pauses, above what the same"
    " nods would have by chance. People's own value is the one to reach; who never nods, or nods"
    " at any time, has 0. Ours, not the challenge's.",
    of_people=True,
    plain_mean=False,
    needs="speech",
    family="ours",
)
