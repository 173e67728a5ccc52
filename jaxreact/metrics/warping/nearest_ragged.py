"""The nearest of what suits every reaction, under time warping, where all have lengths of their
own."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from jaxreact.metrics.targets import Clips, Targets, lengths_of
from jaxreact.metrics.warping.choice import usable_cores
from jaxreact.metrics.warping.dtw import BLOCKS
from jaxreact.metrics.warping.dtw_cpu import Warper
from jaxreact.metrics.warping.nearest import MEMORY
from jaxreact.metrics.warping.pairs import SLACK, WEIGHTS, keep_nearest
from jaxreact.metrics.warping.simd import LANES

Group = Int[np.ndarray, "_ 3"]
"""Clips, samples and the one target that they are all compared with."""

_STRETCHES = 64
"""Into so many means a sequence is taken together to tell which are likely to be near."""


def nearest_of_ragged(
    predicted: Clips, targets: Targets, memory: int | None = None
) -> Float[np.ndarray, "clips samples"]:
    """min over j in lists[n] of DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8, float64; inf without any.

    The samples of a clip meet the likeliest target of theirs together, then the next likely. A
    comparison is given up once all of its samples are further away than their nearest so far, which
    changes no bit of the result. Bounds by warping against boxes of 8 frames were tried too: of
    smooth sequences they come to half of a distance, which excludes almost nothing.

    On CPU cores, whose buffers grow with the longest sequence and not with its square, and stay
    within `memory` bytes as long as that is enough for one core. A clip whose samples are all alike
    is compared once.
    """
    nearest = np.full((len(predicted), len(predicted[0])), np.inf)
    alike = [bool((samples == samples[:1]).all()) for samples in predicted]
    groups = _groups(_likeliest_first(predicted, targets, alike), lengths_of(predicted))
    if groups:
        longest = max(lengths_of(predicted)), max(map(len, targets.sequences))
        search = _Search(predicted, targets.sequences, nearest, longest, memory or MEMORY)
        total = sum(map(len, groups))
        with tqdm(total=total, desc="FRD", unit="pair", delay=2, disable=None) as progress:
            for group in search.run(groups):
                progress.update(len(group))
    nearest[alike] = nearest[alike, :1]
    return nearest


class _Search:
    """Groups of comparisons on all cores at once, each core with buffers of its own."""

    def __init__(
        self,
        predicted: Clips,
        sequences: Sequence[np.ndarray] | np.ndarray,
        nearest: np.ndarray,
        longest: tuple[int, int],
        memory: int,
    ):
        self._predicted, self._sequences, self._nearest = predicted, sequences, nearest
        self._threads = max(1, min(usable_cores(), memory // Warper.memory(*longest)))
        self._idle: SimpleQueue[Warper] = SimpleQueue()
        for _ in range(self._threads):
            self._idle.put(Warper(*longest, WEIGHTS))

    def run(self, groups: list[Group]) -> Iterator[Group]:
        """Leaves in `nearest` what the groups give, and yields each that is done."""
        with ThreadPoolExecutor(self._threads) as pool:
            for group, blocks in zip(groups, pool.map(self._blocks, groups), strict=True):
                if blocks is not None:
                    keep_nearest(self._nearest, group, blocks)
                yield group

    def _blocks(self, group: Group) -> Float[np.ndarray, "3 pairs"] | None:
        clip, sample, other = group.T
        # Read while others are lowered: any earlier value is right too.
        limits = self._nearest[clip, sample] * SLACK
        warper = self._idle.get()
        many = [self._predicted[n][k] for n, k in zip(clip, sample, strict=True)]
        blocks = warper.distances(many, self._sequences[other[0]], limits)
        self._idle.put(warper)
        return blocks


def _likeliest_first(predicted: Clips, targets: Targets, alike: list[bool]) -> list[np.ndarray]:
    """For every clip rows of (rank, clip, sample, other): its targets in the order of their
    distance from all of its samples together, of a few means each and without warping."""
    theirs = np.stack([_sketch(sequence) for sequence in targets.sequences])
    ranked = []
    for clip, others in enumerate(targets.lists):
        number = 1 if alike[clip] else len(predicted[clip])
        ours = np.stack([_sketch(sample) for sample in predicted[clip][:number]])
        order = np.argsort(_straight(ours, theirs[others]).sum(axis=0), kind="stable")
        rank, sample = np.meshgrid(np.arange(len(others)), np.arange(number), indexing="ij")
        rows = [rank, np.full_like(rank, clip), sample, others[order][rank]]
        ranked.append(np.stack(rows, axis=-1).reshape(-1, 4))
    return ranked


def _groups(ranked: list[np.ndarray], lengths: list[int]) -> list[Group]:
    """Up to 16 comparisons with the same target, of similar length; all clips' likeliest first."""
    rows = np.concatenate(ranked)
    if not len(rows):
        return []
    frames = np.array(lengths)[rows[:, 1]]
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], frames, rows[:, 3], rows[:, 0]))]
    changes = (np.diff(rows[:, [0, 3]], axis=0) != 0).any(axis=1)
    same = np.split(rows[:, 1:], np.flatnonzero(changes) + 1)
    return [each[first : first + LANES] for each in same for first in range(0, len(each), LANES)]


def _sketch(sequence: Float[np.ndarray, "length 25"]) -> Float[np.ndarray, "64 25"]:
    """Means of 64 stretches of a sequence; where it has fewer frames some stand in several."""
    length = len(sequence)
    starts = np.arange(_STRETCHES) * length // _STRETCHES
    ends = np.maximum(np.arange(1, _STRETCHES + 1) * length // _STRETCHES, starts + 1)
    sums = np.concatenate([np.zeros((1, sequence.shape[1])), sequence.cumsum(0, np.float64)])
    return (sums[ends] - sums[starts]) / (ends - starts)[:, None]


def _straight(
    ours: Float[np.ndarray, "samples 64 25"], theirs: Float[np.ndarray, "others 64 25"]
) -> Float[np.ndarray, "samples others"]:
    total = np.zeros((len(ours), len(theirs)))
    for weight, block in zip(WEIGHTS, BLOCKS, strict=True):
        steps = ours[:, None, :, slice(*block)] - theirs[..., slice(*block)]
        total += weight * np.sqrt(np.square(steps).sum(axis=(2, 3)))
    return total
