"""What naive baselines reach on the same clips."""

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.metrics.baselines import BASELINES, UNTRAINED, baseline
from jaxreact.metrics.clipwise import aggregate, clipwise
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.score import Score
from jaxreact.metrics.scores import SCORES
from jaxreact.metrics.seams import PERIOD


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
    faces: Faces | None = None,
    period: int = PERIOD,
) -> dict[str, dict[str, float]]:
    """Baseline -> its scores with `samples` reactions to each clip.

    All but `random` repeat one reaction, which is therefore scored once. Without the training
    listeners' mean reaction (`mean_reaction`) the baselines that need it are left out. Of `faces`
    only the recorded persons count: gt and mime have theirs, the others are emotion alone and lack
    the scores that need more.
    """
    names = UNTRAINED if training_mean is None else BASELINES
    shown = {} if faces is None else {"gt": faces.listener, "mime": faces.speaker}
    reached = {}
    for name in tqdm(names, "baselines", unit="baseline", delay=2, disable=None):
        number = samples if name == "random" else 1
        reactions = baseline(
            name, listener, speaker, number, training_mean=training_mean, seed=seed
        )
        of_clips = clipwise(
            reactions,
            listener,
            speaker,
            neighbours,
            mode,
            scores,
            faces=faces.of(shown[name][:, None]) if faces is not None and name in shown else None,
            period=period,
        )
        reached[name] = aggregate(of_clips.repeated(samples))
    return reached
