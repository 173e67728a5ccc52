"""Clip scores made up for tests of what is done with them."""

import numpy as np

from jaxreact.metrics import ClipScores


def clip_scores(predictions, rng, samples=10, mode="corrected", **given) -> ClipScores:
    """Scores of as many clips as there are feature vectors in `predictions` (clips, features).

    The distances are those of the vectors; every other score is noise unless it is given.
    """
    vectors = np.asarray(predictions, np.float64)
    clips = len(vectors)
    values = {name: rng.gamma(2.0, 1.0, clips) for name in ("frc", "frd", "frvar", "frdiv")}
    values |= {"frsyn": 49 * rng.random(clips), "frsyn_samples": np.full(clips, float(samples))}
    return ClipScores(
        mode=mode,
        samples=samples,
        frames=736,
        distances=np.square(vectors[:, None] - vectors).mean(axis=-1),
        neighbours=np.ones(clips, int),
        **(values | given),
    )
