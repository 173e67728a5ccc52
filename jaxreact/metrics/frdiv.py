"""FRDiv: how much the reactions to the same behaviour differ."""

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


def frdiv(predictions: ArrayLike | Sequence[ArrayLike], mode: str = "corrected") -> float:
    """Diversity among the samples of one clip (S-MSE), squared channel units, 0 or more.

    FRDiv = mean over n of sum over a, b of |P[n, a] - P[n, b]|^2 / (K (K-1) T D), predictions P
    (N, K, T, D). Computed as twice the mean unbiased variance over samples, the same number, in
    float64. A single sample gives 0, as in the original (behaviour 9); both modes agree.

    Clips may have lengths of their own, predictions[n] (K, T_n, D): the mean over frames is each
    clip's. Mode `react2026` (S-MSE there) rounds action units first.

    Higher is more diverse, which noise is too: uniform noise in [0, 1] gives 1/6.
    Source: Song et al., REACT 2023/2024 (FRDiv).
    """
    if is_ragged(predictions, mode):
        return _of_ragged(ragged_reactions(predictions, mode=mode)).total
    check_mode(mode)
    return mean_over_clips(frdiv_of_clips(as_predictions(predictions)))


def frdiv_of_clips(predicted: Clips) -> Float[np.ndarray, "clips"]:
    """FRDiv of every clip, float64."""
    if len(predicted[0]) == 1:
        return np.zeros(len(predicted))
    return np.array(
        [2 * np.var(clip.astype(np.float64), axis=0, ddof=1).mean() for clip in predicted]
    )


def _of_ragged(reactions: RaggedReactions) -> ClipValues:
    return ClipValues(frdiv_of_clips(reactions.predicted))


FRDIV = Score(
    name="FRDiv",
    of_clips=lambda reactions: ClipValues(frdiv_of_clips(reactions.predicted)),
    meaning="How much the samples for one clip differ. Higher is more diverse; a model that always"
    " does the same has 0, uniform noise 0.167. Baselines that repeat one reaction have 0.",
    ragged=OfRagged(_of_ragged),
)
