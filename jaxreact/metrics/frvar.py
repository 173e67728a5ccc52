"""FRVar: how much a reaction moves."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, check_mode
from jaxreact.metrics.parts import ClipValues, mean_over_clips
from jaxreact.metrics.score import Score


def frvar(predictions: ArrayLike, mode: str = "corrected") -> float:
    """Variance of a reaction over time, squared channel units, 0 or more.

    FRVar = mean over n, k, d of the unbiased variance over t of P[n, k, t, d], predictions P
    (N, K, T, D), in float64 (behaviour 9). Both modes agree.

    Higher is livelier, which noise is too: uniform noise in [0, 1] gives 1/12.
    Source: Song et al., REACT 2023/2024 (FRVar).
    """
    check_mode(mode)
    return mean_over_clips(frvar_of_clips(as_predictions(predictions)))


def frvar_of_clips(
    predicted: Float[np.ndarray, "clips samples frames 25"],
) -> Float[np.ndarray, "clips"]:
    """FRVar of every clip, float64."""
    return np.array([np.var(clip.astype(np.float64), axis=1, ddof=1).mean() for clip in predicted])


FRVAR = Score(
    name="FRVar",
    of_clips=lambda reactions: ClipValues(frvar_of_clips(reactions.predicted)),
    meaning="How much a face moves within a clip. Higher is livelier, but so is noise (0.083): the"
    " ground truth's value is the one to reach.",
    of_people=True,
)
