"""Scores of predicted reactions, each with all that is known of it in one file: the challenge's
six, and six of ours, which say whether a face is steady and answers.

    scores = evaluate(predictions, listener, speaker, neighbours)
    scores = evaluate(..., faces=Faces(coeffs, listener_coeffs, speaker_coeffs, speaking))

Two modes. `original` is what the original program prints for the same arrays. `corrected`, the
default, differs in three points: FRC and FRD leave out clips without an appropriate reaction
instead of counting 0; FRSyn looks at all samples instead of the first; and in FRSyn an undefined
correlation takes no part instead of winning. All others are the same in both.

Clips of any lengths, each with its own list of what it is compared with, take the place of arrays
and neighbours in the challenge's scores. Their modes are `corrected` and `react2026`, the rules of
REACT 2026 with their own oddities.

`clipwise` gives the scores clip by clip; `intervals` says how far other clips could have moved
them, `compare` whether two systems differ. `python -m jaxreact.metrics --help` does all of it from
files.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from jaxreact.face import FPS
from jaxreact.metrics.baseline_scores import baseline_scores
from jaxreact.metrics.baselines import BASELINES, Baseline, baseline, mean_reaction
from jaxreact.metrics.clipwise import ClipScores, aggregate, clipwise
from jaxreact.metrics.face_jitter import face_jitter
from jaxreact.metrics.face_seams import face_seams
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.frc import frc
from jaxreact.metrics.frd import frd
from jaxreact.metrics.frdiv import frdiv
from jaxreact.metrics.frdvs import frdvs
from jaxreact.metrics.frsyn import frsyn
from jaxreact.metrics.frvar import frvar
from jaxreact.metrics.inputs import MODES, neighbour_lists
from jaxreact.metrics.jitter import jitter
from jaxreact.metrics.nods import nods
from jaxreact.metrics.ragged.challenge import Align
from jaxreact.metrics.ragged.draws import DrawInterval, over_draws
from jaxreact.metrics.ragged.inputs import RAGGED_MODES
from jaxreact.metrics.recorded_faces import recorded_faces
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import CHALLENGE, NAMES, OURS, SCORES
from jaxreact.metrics.seams import PERIOD, check_period, seams
from jaxreact.metrics.smiles import smiles
from jaxreact.metrics.statistics.comparison import Difference, compare
from jaxreact.metrics.statistics.intervals import Interval, intervals
from jaxreact.predictions.original_order import reorder_as_original

if TYPE_CHECKING:
    from jaxreact.metrics.alignment.load import load_alignment

__all__ = [
    "BASELINES",
    "CHALLENGE",
    "MODES",
    "NAMES",
    "OURS",
    "PERIOD",
    "RAGGED_MODES",
    "SCORES",
    "Align",
    "Baseline",
    "ClipScores",
    "Difference",
    "DrawInterval",
    "Faces",
    "Interval",
    "Score",
    "aggregate",
    "baseline",
    "baseline_scores",
    "check_period",
    "clipwise",
    "compare",
    "evaluate",
    "face_jitter",
    "face_seams",
    "frc",
    "frd",
    "frdiv",
    "frdvs",
    "frsyn",
    "frvar",
    "intervals",
    "jitter",
    "load_alignment",
    "mean_reaction",
    "neighbour_lists",
    "nods",
    "over_draws",
    "recorded_faces",
    "reorder_as_original",
    "seams",
    "smiles",
]


def __getattr__(name: str) -> Any:
    if name == "load_alignment":  # the only name here that brings a network
        return importlib.import_module("jaxreact.metrics.alignment.load").load_alignment
    raise AttributeError(f"module 'jaxreact.metrics' has no attribute {name!r}")


def evaluate(
    predictions: ArrayLike | Sequence[ArrayLike],
    listener: ArrayLike | Sequence[Sequence[ArrayLike]],
    speaker: ArrayLike | Sequence[ArrayLike] | None = None,
    neighbours: ArrayLike | None = None,
    mode: str = "corrected",
    *,
    faces: Faces | None = None,
    period: int = PERIOD,
    fps: int = FPS,
    align: Align | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """All scores of predictions (N, K, T, 25) against listener and speaker (N, T, 25).

    `neighbours` (N, M) as in the data set's matrices. Scores of the face need `faces`, and Nods
    also when the speakers speak; without, they are left out. Seams are looked for every `period`
    frames. FRSyn is NaN in mode `corrected` if no sample moves. Raises `UserError` naming array,
    clip and frame of a value that is not finite.

    Without `neighbours`, clips have lengths of their own: predictions[n] (K, T_n, 25), listener[n]
    the list of the (L, 25) that clip n is compared with, the paired listener's first, speaker[n]
    (S_n, 25), or None, without which there is no FRSyn. The challenge's scores alone are given, at
    `fps` frames a second, in mode "corrected" or "react2026"; `align` and `seed` belong to the
    latter (`frc`, `Align`; `load_alignment` gives the challenge's). `over_draws` says how far
    chance moves them.
    """
    of_clips = clipwise(
        predictions,
        listener,
        speaker,
        neighbours,
        mode,
        faces=faces,
        period=period,
        fps=fps,
        align=align,
        seed=seed,
    )
    return aggregate(of_clips)
