"""The scores there are, in the order in which they are shown; another needs a file and a line."""

from jaxreact.metrics.frc import FRC
from jaxreact.metrics.frd import FRD
from jaxreact.metrics.frdiv import FRDIV
from jaxreact.metrics.frdvs import FRDVS
from jaxreact.metrics.frsyn import FRSYN
from jaxreact.metrics.frvar import FRVAR
from jaxreact.metrics.score import Score

SCORES: tuple[Score, ...] = (FRC, FRD, FRDVS, FRVAR, FRDIV, FRSYN)
NAMES = tuple(score.name for score in SCORES)
BETTER = {score.name: score.better for score in SCORES if score.better}
"""Where better lies, of those that have a better."""


def labelled(name: str) -> str:
    """A score's label by its name; the name itself where it is none of these."""
    return next((score.label for score in SCORES if score.name == name), name)
