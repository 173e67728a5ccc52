"""The nearest appropriate reaction of every predicted one, under time warping."""

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.metrics.dtw import dtw

WEIGHTS = np.array([1 / 15, 1.0, 1 / 8])
_PAIRS = 64
"""Pairs a call of `dtw`: one compiled shape, and 64 of 750 frames stay within 30 MB."""


def nearest_distances(
    predicted: Float[np.ndarray, "clips samples frames 25"],
    truth: Float[np.ndarray, "others frames 25"],
    lists: list[np.ndarray],
) -> Float[np.ndarray, "clips samples"]:
    """min over j in lists[n] of DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8, float64; inf without any.

    Pairs are compared a fixed number at a time.
    """
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
    return nearest


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
        distances[start : start + count] = (WEIGHTS @ blocks.astype(np.float64))[:count]
    return distances
