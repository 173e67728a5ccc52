"""FRC: how well a reaction's course agrees with that of an appropriate one."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.centred import centred
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode, neighbour_lists
from jaxreact.metrics.neighbourhood import check_neighbours, without_neighbours
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.ragged.challenge import Align
from jaxreact.metrics.ragged.reactions import OfRagged, RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Reactions, Score
from jaxreact.metrics.targets import Clips, Targets

_EPSILON = 1e-8


def frc(
    predictions: ArrayLike | Sequence[ArrayLike],
    listener: ArrayLike | Sequence[Sequence[ArrayLike]],
    neighbours: ArrayLike | None = None,
    mode: str = "corrected",
    *,
    align: Align | None = None,
    seed: int = 0,
) -> float:
    """Facial reaction correlation, without unit, in [-K, K], higher is better.

    FRC = mean over clips n of sum over samples k of max over j in A(n) of CCC(G[j], P[n, k]),
    with predictions P (N, K, T, 25), listener G (N, T, 25), A(n) = {j < N: neighbours[n, j] == 1}
    and `concordance` for CCC. A *sum* over the K samples: ten perfect ones score 10 (behaviour 2).

    `original` counts a clip without neighbours as 0, `corrected` leaves it out (behaviour 3).
    Raises `UserError` for arrays that do not fit, and if `corrected` would leave out every clip.

    Without `neighbours`, clips have lengths of their own: predictions[n] (K, T_n, 25), listener[n]
    the list of the (L, 25) that suit it. `corrected` resamples these to T_n (`resampled`);
    `react2026` takes ten of them, those of another length by `align` (`as_challenge`, `seed`).
    Source: Song et al., REACT 2023/2024 and 2026 (FRCorr); Lin, Biometrics 1989 (CCC).
    """
    if neighbours is None:
        return _of_ragged(
            ragged_reactions(predictions, listener, mode=mode, align=align, seed=seed)
        ).total
    check_mode(mode)
    predicted = as_predictions(predictions)
    truth = as_sequences("listener", listener, predicted)
    lists = neighbour_lists(neighbours, predicted)
    check_neighbours(lists, mode)
    return mean_over_clips(frc_of_clips(predicted, Targets(truth, lists), mode))


def frc_of_clips(predicted: Clips, targets: Targets, mode: str) -> Float[np.ndarray, "clips"]:
    """Each clip's part of FRC, float64: the sum over its samples."""
    values = []
    for clip, others in enumerate(targets.lists):
        if not len(others):
            values.append(without_neighbours(mode))
            continue
        reactions = predicted[clip]
        some = targets.fitted(clip, reactions.shape[1])
        best = [concordance(reactions, each).max(axis=1) for each in some]
        values.append(np.max(best, axis=0).sum())
    return np.array(values, np.float64)


def concordance(
    first: Float[np.ndarray, "a frames channels"], second: Float[np.ndarray, "b frames channels"]
) -> Float[np.ndarray, "a b"]:
    """Lin's concordance correlation of every sequence with every other, mean over the channels.

    CCC = 2 r s_y s_p / (s_y^2 + s_p^2 + (m_y - m_p)^2 + 1e-8), with population moments in
    float64; r = 0 where a channel is constant, so that such a channel scores 0 even against
    itself (behaviour 7).
    """
    first_mean, first = centred(first)
    second_mean, second = centred(second)
    products = np.matmul(first.swapaxes(0, 1), second.transpose(1, 2, 0))
    covariance = products.transpose(1, 2, 0) / first.shape[-1]  # (a, b, channels), = r s_y s_p
    spread = _variances(first)[:, None] + _variances(second)
    distance = np.square(first_mean[:, None] - second_mean)
    return (2 * covariance / (spread + distance + _EPSILON)).mean(axis=-1)


def _variances(centred: Float[np.ndarray, "n channels frames"]) -> Float[np.ndarray, "n channels"]:
    return np.einsum("nct,nct->nc", centred, centred) / centred.shape[-1]


def _of_clips(reactions: Reactions) -> ClipValues:
    targets = Targets(reactions.listener, reactions.neighbours)
    return ClipValues(frc_of_clips(reactions.predicted, targets, reactions.mode), summed=True)


def _of_ragged(reactions: RaggedReactions) -> ClipValues:
    values = frc_of_clips(reactions.predicted, reactions.targets, reactions.mode)
    return ClipValues(values, summed=True)


FRC = Score(
    name="FRC",
    of_clips=_of_clips,
    meaning="How well the course of a reaction agrees with the most similar appropriate one"
    " (concordance correlation, summed over the {samples} samples). Higher is better; {samples}"
    " would be perfect, 0 is no relation.",
    better=1,
    leaves_out="clips without an appropriate reaction",
    ragged=OfRagged(_of_ragged, needs="targets"),
)
