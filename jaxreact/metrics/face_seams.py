"""FaceSeams: whether a face jumps where one block of it ends and the next begins."""

from jaxreact.metrics.faces import Faces
from jaxreact.metrics.parts import ClipRatios
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.seams import PERIOD, check_period, seams_of_clips
from jaxreact.metrics.steps import movement


def face_seams(faces: Faces, period: int = PERIOD) -> float:
    """How far a face goes at borders, against all other frames; a ratio, 0 or more.

    FaceSeams is Seams of the 58 raw coefficients, each divided by its deviation within the clips of
    the recorded listeners (`steps.movement`). About 1 for recorded listeners. NaN as Seams is.

    Source: this project's own. Raises `UserError` for a period below 2.
    """
    check_period(period)
    return _ratios(faces, period).total


def _ratios(faces: Faces, period: int) -> ClipRatios:
    return seams_of_clips(faces.predicted, period, movement(faces.listener))


def _of_clips(reactions: Reactions) -> ClipRatios:
    assert reactions.faces is not None
    return _ratios(reactions.faces, reactions.period)


FACE_SEAMS = Score(
    name="FaceSeams",
    of_clips=_of_clips,
    meaning="The same of the face's coefficients, each in units of how much people move it. 1 is"
    " without seams. Ours, not the challenge's.",
    of_people=True,
    plain_mean=False,
    needs="faces",
    family="ours",
)
