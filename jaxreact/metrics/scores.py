"""The scores there are, in the order in which they are shown; another needs a file and a line."""

from jaxreact.metrics.face_jitter import FACE_JITTER
from jaxreact.metrics.face_seams import FACE_SEAMS
from jaxreact.metrics.frc import FRC
from jaxreact.metrics.frd import FRD
from jaxreact.metrics.frdiv import FRDIV
from jaxreact.metrics.frdvs import FRDVS
from jaxreact.metrics.frsyn import FRSYN
from jaxreact.metrics.frvar import FRVAR
from jaxreact.metrics.jitter import JITTER
from jaxreact.metrics.nods import NODS
from jaxreact.metrics.score import Score
from jaxreact.metrics.seams import SEAMS
from jaxreact.metrics.smiles import SMILES

CHALLENGE: tuple[Score, ...] = (FRC, FRD, FRDVS, FRVAR, FRDIV, FRSYN)
"""Those of the REACT challenge, which others publish."""
OURS: tuple[Score, ...] = (JITTER, FACE_JITTER, SEAMS, FACE_SEAMS, NODS, SMILES)
"""This project's own: whether a face is steady, and whether it answers."""
SCORES = (*CHALLENGE, *OURS)
NAMES = tuple(score.name for score in SCORES)
BETTER = {score.name: score.better for score in SCORES if score.better}
"""Where better lies, of those that have a better."""


def labelled(name: str) -> str:
    """A score's label by its name; the name itself where it is none of these."""
    return next((score.label for score in SCORES if score.name == name), name)
