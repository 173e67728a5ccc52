"""Scores of predicted reactions: six numbers, each with all that is known of it in one file.

    scores = evaluate(predictions, listener, speaker, neighbours)

Two modes. `original` is what the original program prints for the same arrays. `corrected`, the
default, differs in three points: FRC and FRD leave out clips without an appropriate reaction
instead of counting 0; FRSyn looks at all samples instead of the first; and in FRSyn an undefined
correlation takes no part instead of winning. FRVar, FRDiv and FRDvs are the same in both.

`clipwise` gives the scores clip by clip; `intervals` says how far other clips could have moved
them, `compare` whether two systems differ. `python -m jaxreact.metrics --help` does all of it from
files.
"""

from numpy.typing import ArrayLike

from jaxreact.metrics.baseline_scores import baseline_scores
from jaxreact.metrics.baselines import BASELINES, Baseline, baseline, mean_reaction
from jaxreact.metrics.clipwise import ClipScores, aggregate, clipwise
from jaxreact.metrics.frc import frc
from jaxreact.metrics.frd import frd
from jaxreact.metrics.frdiv import frdiv
from jaxreact.metrics.frdvs import frdvs
from jaxreact.metrics.frsyn import frsyn
from jaxreact.metrics.frvar import frvar
from jaxreact.metrics.inputs import MODES, neighbour_lists
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import NAMES, SCORES
from jaxreact.metrics.statistics.comparison import Difference, compare
from jaxreact.metrics.statistics.intervals import Interval, intervals
from jaxreact.predictions.original_order import reorder_as_original

__all__ = [
    "BASELINES",
    "MODES",
    "NAMES",
    "SCORES",
    "Baseline",
    "ClipScores",
    "Difference",
    "Interval",
    "Score",
    "aggregate",
    "baseline",
    "baseline_scores",
    "clipwise",
    "compare",
    "evaluate",
    "frc",
    "frd",
    "frdiv",
    "frdvs",
    "frsyn",
    "frvar",
    "intervals",
    "mean_reaction",
    "neighbour_lists",
    "reorder_as_original",
]


def evaluate(
    predictions: ArrayLike,
    listener: ArrayLike,
    speaker: ArrayLike,
    neighbours: ArrayLike,
    mode: str = "corrected",
) -> dict[str, float]:
    """All scores of predictions (N, K, T, 25) against listener and speaker (N, T, 25).

    `neighbours` (N, M) as in the data set's matrices. FRSyn is NaN in mode `corrected` if no
    sample moves. Raises `UserError` naming the array, and the clip and frame of a value that is
    not finite.
    """
    return aggregate(clipwise(predictions, listener, speaker, neighbours, mode))
