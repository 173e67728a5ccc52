"""FRDiv: how much the reactions to the same behaviour differ."""

import numpy as np
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, check_mode


def frdiv(predictions: ArrayLike, mode: str = "corrected") -> float:
    """Diversity among the samples of one clip (S-MSE), 0 or more, higher is more diverse.

    FRDiv = mean over n of sum over a, b of |P[n, a] - P[n, b]|^2 / (K (K-1) T D), predictions P
    (N, K, T, D). Computed as twice the mean unbiased variance over samples, the same number, in
    float64. A single sample gives 0, as in the original (behaviour 9); both modes agree.

    Uniform noise in [0, 1] gives 1/6. Source: Song et al., REACT 2023/2024 (FRDiv).
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    if predicted.shape[1] == 1:
        return 0.0
    variances = [np.var(clip.astype(np.float64), axis=0, ddof=1).mean() for clip in predicted]
    return float(2 * np.mean(variances))
