"""FRD: how far a reaction is from an appropriate one when time may be warped."""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from tqdm import tqdm

from jaxreact.metrics.dtw import dtw
from jaxreact.metrics.inputs import as_predictions, as_sequences, check_mode, neighbour_lists
from jaxreact.metrics.neighbourhood import (
    check_neighbours,
    mean_over_clips,
    without_neighbours,
)

_WEIGHTS = np.array([1 / 15, 1.0, 1 / 8])
_PAIRS = 64
"""Pairs a call of `dtw`: one compiled shape, and 64 of 750 frames stay within 30 MB."""


def frd(
    predictions: ArrayLike, listener: ArrayLike, neighbours: ArrayLike, mode: str = "corrected"
) -> float:
    """Facial reaction distance, in units of the channels, 0 or more, lower is better.

    FRD = mean over clips n of sum over samples k of min over j in A(n) of
    DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8 between P[n, k] and G[j], with predictions P
    (N, K, T, 25), listener G (N, T, 25), A(n) = {j < N: neighbours[n, j] == 1} and `dtw` on the
    15 action units, valence and arousal, and the 8 expressions. The minimum is over the weighted
    total; the K samples are *summed* (behaviour 2). It grows with T: compare equal lengths only.

    `original` counts a clip without neighbours as 0, `corrected` leaves it out (behaviour 3).
    Raises `UserError` for arrays that do not fit, and if `corrected` would leave out every clip.
    Source: Song et al., REACT 2023/2024 (FRDist).
    """
    check_mode(mode)
    predicted = as_predictions(predictions)
    truth = as_sequences("listener", listener, predicted)
    lists = neighbour_lists(neighbours, predicted)
    check_neighbours(lists, mode)
    return mean_over_clips(frd_of_clips(predicted, truth, lists, mode))


def frd_of_clips(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    truth: Float[np.ndarray, "clips frames 25"],
    lists: list[np.ndarray],
    mode: str,
) -> Float[np.ndarray, "clips"]:
    """Each clip's part of FRD, float64: the sum over its samples."""
    samples = predicted.shape[1]
    if (predicted == predicted[:, :1]).all():  # one reaction copied, as most baselines give
        predicted = predicted[:, :1]
    pairs = [
        (clip, sample, other)
        for clip, others in enumerate(lists)
        for sample in range(predicted.shape[1])
        for other in others
    ]
    nearest = np.full(predicted.shape[:2], np.inf)
    if pairs:
        clip, sample, other = np.array(pairs).T
        np.minimum.at(nearest, (clip, sample), _distances(predicted, truth, clip, sample, other))
    nearest[np.isinf(nearest)] = without_neighbours(mode)
    return nearest.mean(axis=1) * samples


def _distances(
    predicted: np.ndarray,
    truth: np.ndarray,
    clip: np.ndarray,
    sample: np.ndarray,
    other: np.ndarray,
) -> Float[np.ndarray, "pairs"]:
    """The weighted distance of every pair, a fixed number of pairs at a time."""
    size = min(_PAIRS, 1 << (len(clip) - 1).bit_length())
    distances = np.empty(len(clip))
    for start in tqdm(range(0, len(clip), size), "FRD", unit="batch", delay=2, disable=None):
        # The last batch is filled up with repetitions, which are dropped again.
        batch = np.arange(start, start + size) % len(clip)
        blocks = np.asarray(dtw(predicted[clip[batch], sample[batch]], truth[other[batch]]))
        count = min(size, len(clip) - start)
        distances[start : start + count] = (_WEIGHTS @ blocks.astype(np.float64))[:count]
    return distances
