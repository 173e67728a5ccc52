"""Seams: whether a reaction's emotion jumps where one block of it ends and the next begins."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.errors import UserError
from jaxreact.metrics.inputs import as_predictions
from jaxreact.metrics.parts import ClipRatios
from jaxreact.metrics.score import Score
from jaxreact.metrics.steps import steps

PERIOD = 32
"""Frames from border to border where nothing else is said: the original's patch, 1.28 s."""


def check_period(period: int) -> None:
    """Raises `UserError` for a period that leaves no frames between borders."""
    if period < 2:
        raise UserError(f"period: {period} leaves no frame between two borders; give 2 or more")


def seams(predictions: ArrayLike, period: int = PERIOD) -> float:
    """How far emotion goes at borders, against all other frames; a ratio, 0 or more.

    Seams = mean of |P[n, k, t, d] - P[n, k, t-1, d]| over n, k, d and the t that are multiples of
    `period`, over the mean for all other t from 1 on, predictions P (N, K, T, D): a ratio of sums,
    in float64. About 1 for recorded listeners and for anything else that knows of no borders,
    noise included. NaN for reactions that move at borders alone, or never, and for clips that end
    before their first border (T <= period).

    Source: this project's own, for systems that make a reaction block by block. Raises `UserError`
    for a period below 2.
    """
    check_period(period)
    return seams_of_clips(as_predictions(predictions), period).total


def seams_of_clips(
    predicted: Float[np.ndarray, "clips samples frames channels"],
    period: int,
    scale: Float[np.ndarray, "channels"] | float = 1.0,
) -> ClipRatios:
    """Each clip's mean step at borders over that elsewhere, with channels in units of `scale`."""
    clips, _, frames, _ = predicted.shape
    if frames <= period:
        return ClipRatios(np.zeros(clips), np.zeros(clips))
    borders = np.arange(1, frames) % period == 0
    moved = [steps(clip, scale).mean(axis=0) for clip in predicted]
    return ClipRatios(
        np.array([each[borders].mean() for each in moved]),
        np.array([each[~borders].mean() for each in moved]),
    )


SEAMS = Score(
    name="Seams",
    of_clips=lambda reactions: seams_of_clips(reactions.predicted, reactions.period),
    meaning="How far emotion goes at the borders of blocks (--period), against all other frames. 1"
    " is without seams; above it a face jumps at every border. Ours, not the challenge's.",
    of_people=True,
    plain_mean=False,
    family="ours",
)
