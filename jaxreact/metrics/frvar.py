"""FRVar: how much a reaction moves."""

import numpy as np
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, check_mode


def frvar(predictions: ArrayLike, mode: str = "corrected") -> float:
    """Variance of a reaction over time, 0 or more, higher is livelier.

    FRVar = mean over n, k, d of the unbiased variance over t of P[n, k, t, d], predictions P
    (N, K, T, D), in float64 (behaviour 9). Both modes agree.

    Uniform noise in [0, 1] gives 1/12. Source: Song et al., REACT 2023/2024 (FRVar).
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    variances = [np.var(clip.astype(np.float64), axis=1, ddof=1).mean() for clip in predicted]
    return float(np.mean(variances))
