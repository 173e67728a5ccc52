"""Jitter: whether a reaction's emotion flickers more than people's does."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, as_sequences
from jaxreact.metrics.parts import ClipRatios
from jaxreact.metrics.score import Score
from jaxreact.metrics.steps import steps


def jitter(predictions: ArrayLike, listener: ArrayLike) -> float:
    """How far emotion goes from frame to frame, against the recorded listeners; a ratio, 0 or more.

    Jitter = mean over n, k, t, d of |P[n, k, t, d] - P[n, k, t-1, d]| over the mean over n, t, d of
    |G[n, t, d] - G[n, t-1, d]|, predictions P (N, K, T, D), listeners G (N, T, D): a ratio of sums,
    in float64. 1 is as people are, 0 a still face, and uniform noise has about 1/3 over what people
    have (70 where that is 0.0046). NaN where no recorded listener moves.

    Source: this project's own. The challenge's FRC and FRD reward draws that flicker, since what
    flickers averages out under warping; this sees them.
    """
    predicted = as_predictions(predictions)
    return jitter_of_clips(predicted, as_sequences("listener", listener, predicted)).total


def jitter_of_clips(
    predicted: Float[np.ndarray, "clips samples frames channels"],
    listener: Float[np.ndarray, "clips frames channels"],
    scale: Float[np.ndarray, "channels"] | float = 1.0,
) -> ClipRatios:
    """Each clip's mean step over its recorded listener's, with channels in units of `scale`."""
    return ClipRatios(
        np.array([steps(clip, scale).mean(axis=1).mean() for clip in predicted]),
        np.array([steps(clip[None], scale).mean(axis=1).mean() for clip in listener]),
    )


JITTER = Score(
    name="Jitter",
    of_clips=lambda reactions: jitter_of_clips(reactions.predicted, reactions.listener),
    meaning="How far emotion goes from frame to frame, against the recorded listeners. 1 is as"
    " people are; a face above it flickers, one below is stiff. Ours, not the challenge's.",
    of_people=True,
    plain_mean=False,
    family="ours",
)
