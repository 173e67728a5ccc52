"""FRDvs: how much reactions differ between conversations."""

import math

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxreact.metrics.inputs import as_predictions, check_mode
from jaxreact.metrics.parts import ClipDistances
from jaxreact.metrics.score import Score


def frdvs(predictions: ArrayLike, mode: str = "corrected") -> float:
    """Diversity among the reactions to different speakers, squared channel units, 0 or more.

    FRDvs = sum over k, n, m of |P[n, k] - P[m, k]|^2 / (N (N-1) K T D), predictions P (N, K, T, D):
    the mean over pairs of different clips of `distances_between_clips`. The original's float32
    matrix product cancels for more than 25 clips (behaviour 9; up to 4e-5 relative), which is not
    imitated.

    Higher is more diverse, which noise is too: uniform noise in [0, 1] gives 1/6. A single clip
    gives 0, in mode `original` NaN. Source: Song et al., REACT 2023/2024 (FRDvs).
    """
    check_mode(mode)
    return _distances(as_predictions(predictions), mode).total


def distances_between_clips(
    predicted: Float[np.ndarray, "clips samples frames 25"], chunk: int = 1 << 26
) -> Float[np.ndarray, "clips clips"]:
    """Mean squared difference of every clip's reactions from every other's, sample by sample.

    float64, from matrix products of `chunk` bytes of columns at a time. Columns are centred over
    the clips first, so that what cancels is no larger than the distances themselves; equal
    predictions give exactly 0.
    """
    clips = len(predicted)
    columns = max(1, chunk // (8 * clips))
    products, size = np.zeros((clips, clips)), predicted[0].size
    for sample in range(predicted.shape[1]):
        flat = predicted[:, sample].reshape(clips, -1)
        for start in range(0, flat.shape[1], columns):
            part = flat[:, start : start + columns].astype(np.float64)
            part -= part.mean(axis=0)
            products += part @ part.T
    squares = np.diagonal(products)
    distances = (squares[:, None] + squares - 2 * products) / size
    np.fill_diagonal(distances, 0.0)
    return np.maximum(distances, 0.0)


def _distances(predicted: Float[np.ndarray, "clips samples frames 25"], mode: str) -> ClipDistances:
    alone = math.nan if mode == "original" else 0.0
    return ClipDistances(distances_between_clips(predicted), alone)


FRDVS = Score(
    name="FRDvs",
    of_clips=lambda reactions: _distances(reactions.predicted, reactions.mode),
    meaning="How much the reactions to different speakers differ. Higher is more diverse, but noise"
    " is too (0.167): people's own value, that of the ground truth, is the one to reach.",
    of_people=True,
    plain_mean=False,
)
