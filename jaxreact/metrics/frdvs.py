"""FRDvs: how much reactions differ between conversations."""

import math

import numpy as np
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, check_mode


def frdvs(predictions: ArrayLike, mode: str = "corrected") -> float:
    """Diversity among the reactions to different speakers, 0 or more, higher is more diverse.

    FRDvs = sum over k, n, m of |P[n, k] - P[m, k]|^2 / (N (N-1) K T D), predictions P (N, K, T, D).
    Computed as twice the mean unbiased variance over clips, the same number without the
    differences, in float64. The original's float32 matrix product cancels for more than 25 clips
    (behaviour 9; up to 4e-5 relative), which is not imitated.

    A single clip gives 0, in mode `original` NaN. Uniform noise in [0, 1] gives 1/6.
    Source: Song et al., REACT 2023/2024 (FRDvs).
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    if len(predicted) == 1:
        return math.nan if mode == "original" else 0.0
    variances = [
        np.var(predicted[:, sample].astype(np.float64), axis=0, ddof=1).mean()
        for sample in range(predicted.shape[1])
    ]
    return float(2 * np.mean(variances))
