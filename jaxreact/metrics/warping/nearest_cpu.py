"""The search for the nearest reaction on CPU cores, which gives up what cannot be the nearest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from queue import SimpleQueue

import numpy as np
from jaxtyping import Float, Int

from jaxreact.metrics.warping.choice import usable_cores
from jaxreact.metrics.warping.dtw import BLOCKS
from jaxreact.metrics.warping.dtw_cpu import Warper
from jaxreact.metrics.warping.pairs import SLACK, WEIGHTS, Pairs, Progress, keep_nearest
from jaxreact.metrics.warping.simd import LANES


class Search:
    """The likeliest of every prediction first, then all others, which are given up as soon as they
    are further away than the nearest so far.

    Lower bounds that need no warping were tried: action units jump between 0 and 1, so that the
    envelope of a sequence holds almost everything and the bounds exclude almost nothing.
    """

    def __init__(
        self,
        predicted: np.ndarray,
        truth: np.ndarray,
        nearest: np.ndarray,
        memory: int,
        prune: bool,
        progress: Progress,
    ):
        self._predicted, self._truth, self._nearest = predicted, truth, nearest
        self._prune, self._progress = prune, progress
        lengths = predicted.shape[2], truth.shape[1]
        self._threads = max(1, min(usable_cores(), memory // Warper.memory(*lengths)))
        self._idle: SimpleQueue[Warper] = SimpleQueue()
        for _ in range(self._threads):
            self._idle.put(Warper(*lengths, WEIGHTS))

    def run(self, pairs: Pairs) -> None:
        """Leaves in `nearest` what `pairs` give."""
        if not self._prune:
            return self._compare(pairs, pairs[:, 1])
        straight = _straight(self._predicted, self._truth, pairs)
        order = np.lexsort((straight, pairs[:, 1], pairs[:, 0]))
        pairs, straight = pairs[order], straight[order]
        likeliest = np.ones(len(pairs), bool)
        likeliest[1:] = (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1)
        self._compare(pairs[likeliest], straight[likeliest])
        pairs, straight = pairs[~likeliest], straight[~likeliest]
        self._compare(pairs, straight / np.maximum(self._nearest[pairs[:, 0], pairs[:, 1]], 1e-30))

    def _compare(self, pairs: Pairs, alike: np.ndarray) -> None:
        """Predictions that meet the same other side by side, and among them those whose `alike`
        are, so that they are given up together; groups on all cores at once."""
        pairs = pairs[np.lexsort((alike, pairs[:, 2]))]
        starts = np.flatnonzero(np.diff(pairs[:, 2])) + 1
        groups = [
            same[first : first + LANES]
            for same in np.split(pairs, starts)
            for first in range(0, len(same), LANES)
        ]
        with ThreadPoolExecutor(self._threads) as pool:
            for group, blocks in zip(groups, pool.map(self._blocks, groups), strict=True):
                if blocks is not None:
                    keep_nearest(self._nearest, group, blocks)
                self._progress(len(group))

    def _blocks(self, group: Pairs) -> Float[np.ndarray, "3 pairs"] | None:
        clip, sample, other = group.T
        limits = np.full(len(group), np.inf)
        if self._prune:  # read while another thread lowers them: any earlier value is right too
            limits = self._nearest[clip, sample] * SLACK
        warper = self._idle.get()
        many = [self._predicted[place] for place in zip(clip, sample, strict=True)]
        blocks = warper.distances(many, self._truth[other[0]], limits)
        self._idle.put(warper)
        return blocks


def _straight(predicted: np.ndarray, truth: np.ndarray, pairs: Pairs) -> Float[np.ndarray, "pairs"]:
    """What every pair's distance would be without warping, which tells who is likely to be near."""
    distances = np.empty(len(pairs))
    for clip, of_clip in _runs(pairs[:, 0]):
        samples, others = pairs[of_clip, 1], pairs[of_clip, 2]
        number, columns = samples.max() + 1, np.unique(others)
        total = np.zeros((number, len(columns)))
        for weight, block in zip(WEIGHTS, BLOCKS, strict=True):
            x = predicted[clip, :number, :, slice(*block)].reshape(number, -1)
            y = truth[columns, :, slice(*block)].reshape(len(columns), -1)
            squared = np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2 * x @ y.T
            total += weight * np.sqrt(np.maximum(squared, 0))
        distances[of_clip] = total[samples, np.searchsorted(columns, others)]
    return distances


def _runs(values: Int[np.ndarray, "n"]) -> Iterator[tuple[int, slice]]:
    """Each stretch of equal values, and where it stands."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1), len(values)]
    for first, end in pairwise(edges):
        yield int(values[first]), slice(first, end)
