"""FRD: how far a reaction is from an appropriate one when time may be warped."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode, neighbour_lists
from jaxreact.metrics.neighbourhood import check_neighbours, without_neighbours
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.warping.nearest import nearest_distances


def frd(
    predictions: ArrayLike,
    listener: ArrayLike,
    neighbours: ArrayLike,
    mode: str = "corrected",
    *,
    memory: int | None = None,
) -> float:
    """Facial reaction distance, in units of the channels, 0 or more, lower is better.

    FRD = mean over clips n of sum over samples k of min over j in A(n) of
    DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8 between P[n, k] and G[j], with predictions P
    (N, K, T, 25), listener G (N, T, 25), A(n) = {j < N: neighbours[n, j] == 1} and `dtw` on the
    15 action units, valence and arousal, and the 8 expressions. The minimum is over the weighted
    total; the K samples are *summed* (behaviour 2). It grows with T: compare equal lengths only.

    `original` counts a clip without neighbours as 0, `corrected` leaves it out (behaviour 3).
    Raises `UserError` for arrays that do not fit, and if `corrected` would leave out every clip.
    Source: Song et al., REACT 2023/2024 (FRDist).
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    truth = as_sequences("listener", listener, predicted)
    lists = neighbour_lists(neighbours, predicted)
    check_neighbours(lists, mode)
    return mean_over_clips(frd_of_clips(predicted, truth, lists, mode, memory))


def frd_of_clips(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    truth: Float[np.ndarray, "clips frames 25"],
    lists: list[np.ndarray],
    mode: str,
    memory: int | None = None,
) -> Float[np.ndarray, "clips"]:
    """Each clip's part of FRD, float64: the sum over its samples."""
    nearest = nearest_distances(predicted, truth, lists, memory=memory)
    nearest[[len(others) == 0 for others in lists]] = without_neighbours(mode)
    return nearest.sum(axis=1)


def _of_clips(reactions: Reactions) -> ClipValues:
    against = (reactions.listener, reactions.neighbours, reactions.mode)
    return ClipValues(frd_of_clips(reactions.predicted, *against), summed=True)


FRD = Score(
    name="FRD",
    of_clips=_of_clips,
    meaning="How far a reaction is from the nearest appropriate one when time may be warped"
    " (summed over the {samples} samples; it grows with a clip's length). Lower is better; 0 is a"
    " copy.",
    better=-1,
    leaves_out="clips without an appropriate reaction",
)
