"""What naive baselines reach on the same clips."""

import numpy as np
from tqdm import tqdm

from jaxreact import metrics


def baseline_scores(
    listener: np.ndarray,
    speaker: np.ndarray,
    matrix: np.ndarray,
    mean: np.ndarray,
    *,
    samples: int,
    seed: int,
    mode: str,
) -> dict[str, dict[str, float]]:
    """Scores of all naive baselines, `samples` reactions each.

    All but `random` repeat one reaction, so one sample is scored and the two scores that are sums
    over samples are multiplied. `mean` is the training listeners' mean reaction.
    """
    scores = {}
    for name in tqdm(metrics.BASELINES, "baselines", unit="baseline", disable=None):
        repeated = 1 if name != "random" else samples
        made = metrics.baseline(name, listener, speaker, repeated, training_mean=mean, seed=seed)
        found = metrics.evaluate(made, listener, speaker, matrix, mode)
        for sum_over_samples in ("FRC", "FRD"):
            found[sum_over_samples] *= samples / repeated
        scores[name] = found
    return scores
