"""What naive baselines reach on the same clips."""

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.metrics.baselines import BASELINES, UNTRAINED, baseline
from jaxreact.metrics.clipwise import aggregate, clipwise
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import SCORES


def baseline_scores(
    listener: Float[np.ndarray, "clips frames 25"],
    speaker: Float[np.ndarray, "clips frames 25"],
    neighbours: Float[np.ndarray, "clips columns"],
    training_mean: Float[np.ndarray, "frames 25"] | None = None,
    *,
    samples: int,
    seed: int = 0,
    mode: str = "corrected",
    scores: tuple[Score, ...] = SCORES,
) -> dict[str, dict[str, float]]:
    """Baseline -> its scores with `samples` reactions to each clip.

    All but `random` repeat one reaction, which is therefore scored once. Without the training
    listeners' mean reaction (`mean_reaction`) the baselines that need it are left out.
    """
    names = UNTRAINED if training_mean is None else BASELINES
    reached = {}
    for name in tqdm(names, "baselines", unit="baseline", delay=2, disable=None):
        number = samples if name == "random" else 1
        reactions = baseline(
            name, listener, speaker, number, training_mean=training_mean, seed=seed
        )
        of_clips = clipwise(reactions, listener, speaker, neighbours, mode, scores)
        reached[name] = aggregate(of_clips.repeated(samples))
    return reached
