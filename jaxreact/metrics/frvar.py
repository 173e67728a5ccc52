"""FRVar: how much a reaction moves."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, check_mode
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.ragged.inputs import is_ragged
from jaxreact.metrics.ragged.reactions import OfRagged, RaggedReactions, ragged_reactions
from jaxreact.metrics.score import Score
from jaxreact.metrics.targets import Clips


def frvar(predictions: ArrayLike | Sequence[ArrayLike], mode: str = "corrected") -> float:
    """Variance of a reaction over time, squared channel units, 0 or more.

    FRVar = mean over n, k, d of the unbiased variance over t of P[n, k, t, d], predictions P
    (N, K, T, D), in float64 (behaviour 9). Both modes agree.

    Clips may have lengths of their own, predictions[n] (K, T_n, D), and count alike. Mode
    `react2026` rounds action units first.

    Higher is livelier, which noise is too: uniform noise in [0, 1] gives 1/12.
    Source: Song et al., REACT 2023/2024 (FRVar).
    """
    if is_ragged(predictions, mode):
        return _of_ragged(ragged_reactions(predictions, mode=mode)).total
    check_mode(mode)
    return mean_over_clips(frvar_of_clips(as_predictions(predictions)))


def frvar_of_clips(predicted: Clips) -> Float[np.ndarray, "clips"]:
    """FRVar of every clip, float64."""
    return np.array([np.var(clip.astype(np.float64), axis=1, ddof=1).mean() for clip in predicted])


def _of_ragged(reactions: RaggedReactions) -> ClipValues:
    return ClipValues(frvar_of_clips(reactions.predicted))


FRVAR = Score(
    name="FRVar",
    of_clips=lambda reactions: ClipValues(frvar_of_clips(reactions.predicted)),
    meaning="How much a face moves within a clip. Higher is livelier, but so is uniform noise"
    " (0.083): the ground truth's value is the one to reach.",
    of_people=True,
    ragged=OfRagged(_of_ragged),
)
