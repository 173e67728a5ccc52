"""FRD: how far a reaction is from an appropriate one when time may be warped."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode, neighbour_lists
from jaxreact.metrics.neighbourhood import check_neighbours, without_neighbours
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.ragged.challenge import Align
from jaxreact.metrics.ragged.reactions import OfRagged, RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.targets import Clips, Targets
from jaxreact.metrics.warping.nearest import nearest_distances
from jaxreact.metrics.warping.nearest_ragged import nearest_of_ragged


def frd(
    predictions: ArrayLike | Sequence[ArrayLike],
    listener: ArrayLike | Sequence[Sequence[ArrayLike]],
    neighbours: ArrayLike | None = None,
    mode: str = "corrected",
    *,
    memory: int | None = None,
    align: Align | None = None,
    seed: int = 0,
) -> float:
    """Facial reaction distance, in units of the channels, 0 or more, lower is better.

    FRD = mean over clips n of sum over samples k of min over j in A(n) of
    DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8 between P[n, k] and G[j], with predictions P
    (N, K, T, 25), listener G (N, T, 25), A(n) = {j < N: neighbours[n, j] == 1} and `dtw` on the
    15 action units, valence and arousal, and the 8 expressions. The minimum is over the weighted
    total; the K samples are *summed* (behaviour 2). It grows with T: compare equal lengths only.

    `original` counts a clip without neighbours as 0, `corrected` leaves it out (behaviour 3).
    Raises `UserError` for arrays that do not fit, and if `corrected` would leave out every clip.

    Without `neighbours`, clips have lengths of their own: predictions[n] (K, T_n, 25), listener[n]
    the list of the (L, 25) that suit it. `corrected` warps them as they are; `react2026` takes ten
    of them, those of another length than T_n by `align` (`as_challenge`, `seed`).
    Source: Song et al., REACT 2023/2024 and 2026 (FRDist).
    """
    if neighbours is None:
        reactions = ragged_reactions(predictions, listener, mode=mode, align=align, seed=seed)
        return mean_over_clips(_of_ragged(reactions, memory).values)
    check_mode(mode)
    predicted = as_predictions(predictions)
    truth = as_sequences("listener", listener, predicted)
    lists = neighbour_lists(neighbours, predicted)
    check_neighbours(lists, mode)
    return mean_over_clips(frd_of_clips(predicted, Targets(truth, lists), mode, memory))


def frd_of_clips(
    predicted: Clips, targets: Targets, mode: str, memory: int | None = None
) -> Float[np.ndarray, "clips"]:
    """Each clip's part of FRD, float64: the sum over its samples."""
    if isinstance(predicted, np.ndarray) and isinstance(targets.sequences, np.ndarray):
        nearest = nearest_distances(
            predicted, targets.sequences, list(targets.lists), memory=memory
        )
    else:
        nearest = nearest_of_ragged(predicted, targets, memory)
    nearest[[len(others) == 0 for others in targets.lists]] = without_neighbours(mode)
    return nearest.sum(axis=1)


def _of_clips(reactions: Reactions) -> ClipValues:
    targets = Targets(reactions.listener, reactions.neighbours)
    return ClipValues(frd_of_clips(reactions.predicted, targets, reactions.mode), summed=True)


def _of_ragged(reactions: RaggedReactions, memory: int | None = None) -> ClipValues:
    values = frd_of_clips(reactions.predicted, reactions.targets, reactions.mode, memory)
    return ClipValues(values, summed=True)


FRD = Score(
    name="FRD",
    of_clips=_of_clips,
    meaning="How far a reaction is from the nearest appropriate one when time may be warped"
    " (summed over the {samples} samples; it grows with a clip's length). Lower is better; 0 is a"
    " copy.",
    better=-1,
    leaves_out="clips without an appropriate reaction",
    ragged=OfRagged(_of_ragged, needs="targets"),
)
