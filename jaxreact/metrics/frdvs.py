"""FRDvs: how much reactions differ between conversations."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.errors import UserError
from jaxreact.metrics.inputs import as_predictions, check_mode
from jaxreact.metrics.parts import ClipDistances
from jaxreact.metrics.ragged.inputs import is_ragged
from jaxreact.metrics.ragged.reactions import OfRagged, RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Score
from jaxreact.metrics.targets import lengths_of


def frdvs(predictions: ArrayLike | Sequence[ArrayLike], mode: str = "corrected") -> float:
    """Diversity among the reactions to different speakers, squared channel units, 0 or more.

    FRDvs = sum over k, n, m of |P[n, k] - P[m, k]|^2 / (N (N-1) K T D), predictions P (N, K, T, D):
    the mean over pairs of different clips of `distances_between_clips`. The original's float32
    matrix product cancels for more than 25 clips (behaviour 9; up to 4e-5 relative), which is not
    imitated.

    Higher is more diverse, which noise is too: uniform noise in [0, 1] gives 1/6. A single clip
    gives 0, in mode `original` NaN. Source: Song et al., REACT 2023/2024 (FRDvs).

    Clips may have lengths of their own, predictions[n] (K, T_n, D): two are compared over the
    frames that both have. REACT 2026 has no such score, nor has mode `react2026`.
    """
    if mode == "react2026":
        raise UserError("mode react2026 has no FRDvs; use mode corrected")
    if is_ragged(predictions, mode):
        return _of_ragged(ragged_reactions(predictions, mode=mode)).total
    check_mode(mode)
    return _distances(as_predictions(predictions), mode).total


def distances_between_clips(
    predicted: Float[np.ndarray, "clips samples frames 25"], chunk: int = 1 << 26
) -> Float[np.ndarray, "clips clips"]:
    """Mean squared difference of every clip's reactions from every other's, sample by sample.

    float64, from matrix products of `chunk` bytes of columns at a time. Columns are centred over
    the clips first, so that what cancels is no larger than the distances themselves; equal
    predictions give exactly 0.
    """
    clips = len(predicted)
    columns = max(1, chunk // (8 * clips))
    products, size = np.zeros((clips, clips)), predicted[0].size
    for sample in range(predicted.shape[1]):
        flat = predicted[:, sample].reshape(clips, -1)
        for start in range(0, flat.shape[1], columns):
            part = flat[:, start : start + columns].astype(np.float64)
            part -= part.mean(axis=0)
            products += part @ part.T
    squares = np.diagonal(products)
    distances = (squares[:, None] + squares - 2 * products) / size
    np.fill_diagonal(distances, 0.0)
    return np.maximum(distances, 0.0)


def _distances_of_ragged(
    predicted: Sequence[Float[np.ndarray, "_ _ 25"]],
) -> Float[np.ndarray, "clips clips"]:
    """As `distances_between_clips`, each pair over the frames that both have.

    All clips that reach from one clip's end to the next longer one's are compared over that
    stretch at once.
    """
    lengths = np.array(lengths_of(predicted))
    total = np.zeros((len(lengths), len(lengths)))
    start = 0
    for end in np.unique(lengths).tolist():
        there = np.flatnonzero(lengths >= end)
        stretch = np.stack([predicted[clip][:, start:end] for clip in there.tolist()])
        total[np.ix_(there, there)] += distances_between_clips(stretch) * (end - start)
        start = end
    return total / np.minimum(lengths[:, None], lengths)


def _distances(predicted: Float[np.ndarray, "clips samples frames 25"], mode: str) -> ClipDistances:
    alone = math.nan if mode == "original" else 0.0
    return ClipDistances(distances_between_clips(predicted), alone)


def _of_ragged(reactions: RaggedReactions) -> ClipDistances:
    return ClipDistances(_distances_of_ragged(reactions.predicted))


FRDVS = Score(
    name="FRDvs",
    of_clips=lambda reactions: _distances(reactions.predicted, reactions.mode),
    meaning="How much the reactions to different speakers differ. Higher is more diverse, but"
    " uniform noise is too (0.167): people's own value, that of the ground truth, is the one to"
    " reach.",
    of_people=True,
    ragged=OfRagged(_of_ragged, modes=("corrected",)),
    plain_mean=False,
)
