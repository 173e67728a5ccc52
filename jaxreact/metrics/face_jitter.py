"""FaceJitter: whether a face flickers more than people's do."""

from jaxreact.metrics.faces import Faces
from jaxreact.metrics.jitter import jitter_of_clips
from jaxreact.metrics.parts import ClipRatios
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.steps import movement


def face_jitter(faces: Faces) -> float:
    """How far a face goes from frame to frame, against the recorded listeners; a ratio, 0 or more.

    FaceJitter is Jitter of the 58 raw coefficients, each divided by its deviation within the clips
    of the recorded listeners (`steps.movement`), so that expressions and poses count alike. 1 is as
    people are. NaN where no recorded listener moves.

    Source: this project's own.
    """
    return _ratios(faces).total


def _ratios(faces: Faces) -> ClipRatios:
    return jitter_of_clips(faces.predicted, faces.listener, movement(faces.listener))


def _of_clips(reactions: Reactions) -> ClipRatios:
    assert reactions.faces is not None
    return _ratios(reactions.faces)


FACE_JITTER = Score(
    name="FaceJitter",
    of_clips=_of_clips,
    meaning="The same of the face's coefficients, each in units of how much people move it: what"
    " one sees of a face that trembles. 1 is as people are. Ours, not the challenge's.",
    of_people=True,
    plain_mean=False,
    needs="faces",
    family="ours",
)
