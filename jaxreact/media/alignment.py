"""Sound brought onto its container's clock: holes, overlaps, sound cards that run fast or slow.

A block of samples is where its stamp says, but stamps jitter, and samples are not to be cut or
moved for that. So blocks that follow one another are one piece, which begins where its first stamp
says; a stamp that is off by more than `SLACK` begins another piece; and where all of a piece drifts
away from its stamps, it is resampled to the length that they give it.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice, pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.errors import Remark, UserError
from jaxreact.media.resampling import resampled

SLACK = 0.05
"""Seconds by which stamps may be off their samples: jitter of a recording's clock."""

FASTEST = 0.1
"""Drift, as a share, up to which a clock is believed; blocks that drift faster stand alone."""

_NEIGHBOURS = 2  # on either side: a stamp that is off alone is jitter, of any size

MOST_SILENCE = 600.0
"""Seconds of holes that are filled, in all, where no end is asked for."""


@dataclass(frozen=True, slots=True)
class Block:
    """Samples as they were decoded together.

    time: that of the first sample (s), None where nothing is said of it.
    count: how many they are; rate: how many a second.
    samples: mono; empty where they are not wanted.
    is_after_loss: whether what was before it could not be decoded; then its stamp is no jitter.
    """

    time: float | None
    count: int
    rate: int
    samples: Float[np.ndarray, "samples"]
    is_after_loss: bool = False


@dataclass(frozen=True)
class Piece:
    """Blocks that follow one another: `first` to `last` (not included) of them.

    time: when the first begins (s). drift: how much slower than told its samples go, as a share.
    """

    first: int
    last: int
    time: float
    drift: float


def pieces_of(blocks: Sequence[Block]) -> list[Piece]:
    """The pieces that blocks of one rate form."""
    rate = blocks[0].rate
    begins = np.concatenate([[0], np.cumsum([block.count for block in blocks])]) / rate
    told = np.array([np.nan if block.time is None else block.time for block in blocks])
    offsets = _without_outliers(_continued(told - begins[:-1]))
    breaks = set((np.flatnonzero(np.abs(np.diff(offsets)) > SLACK) + 1).tolist())
    breaks |= {k for k, block in enumerate(blocks) if block.is_after_loss}
    pieces: list[Piece] = []
    for first, last in pairwise(sorted({0, *breaks, len(blocks)})):
        pieces += _fitted(first, last, offsets, begins)
    return pieces


def _continued(offsets: np.ndarray) -> np.ndarray:
    """Of blocks without a stamp that of the one before; 0 where there is none."""
    known = np.where(np.isnan(offsets), -1, np.arange(len(offsets)))
    source = np.maximum.accumulate(known)
    first = offsets[known >= 0][0] if (known >= 0).any() else 0.0
    return np.where(source < 0, first, offsets[np.maximum(source, 0)])


def _without_outliers(offsets: np.ndarray) -> np.ndarray:
    """The median of each and its neighbours, which keeps steps; the first is taken at its word."""
    padded = np.pad(offsets, _NEIGHBOURS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEIGHBOURS + 1)
    return np.append(offsets[0], np.median(windows, axis=1)[1:])


def _fitted(first: int, last: int, offsets: np.ndarray, begins: np.ndarray) -> list[Piece]:
    """One piece, stretched only if it has to be; two where no one drift fits."""
    time = begins[first] + offsets[first]
    if last - first < 2:
        return [Piece(first, last, time, 0.0)]
    along = begins[first:last] - begins[first]
    drift, middle_offset = np.polyfit(along, offsets[first:last], 1)
    spread = np.abs(offsets[first:last] - drift * along - middle_offset).max()
    if spread <= SLACK and abs(drift) * along[-1] <= SLACK:  # as much as jitter can make
        return [Piece(first, last, time, 0.0)]
    if spread <= SLACK and abs(drift) <= FASTEST:
        return [Piece(first, last, time, float(drift))]
    middle = (first + last) // 2
    return _fitted(first, middle, offsets, begins) + _fitted(middle, last, offsets, begins)


@dataclass(frozen=True)
class Placement:
    """A piece, and how many samples a second its blocks say that they have."""

    piece: Piece
    rate: int

    @property
    def told_rate(self) -> float:
        """Samples a second by its stamps."""
        return self.rate / (1 + self.piece.drift)


def placements_of(blocks: Sequence[Block]) -> list[Placement]:
    """Where blocks go, one piece after the other; their samples are not looked at."""
    runs = [list(run) for _, run in groupby(blocks, key=lambda block: block.rate)]
    return [Placement(piece, run[0].rate) for run in runs for piece in pieces_of(run)]


def on_the_clock(
    path: Path, blocks: Sequence[Block], rate: int, begin: int, end: int | None
) -> Float[np.ndarray, "samples"]:
    """Samples `begin` to `end` (None: the last) of the clock, `rate` a second.

    Holes are silent, where blocks overlap the earlier is kept, and another rate is resampled.
    Repairs are remarked on, naming `path`. Raises `UserError` where holes without end are to be
    filled.
    """
    parts = in_pieces(path, placements_of(blocks), blocks, rate, begin, end)
    return np.concatenate([np.zeros(0, np.float32), *parts])


def in_pieces(
    path: Path,
    placements: Sequence[Placement],
    blocks: Iterable[Block],
    rate: int,
    begin: int,
    end: int | None,
) -> Iterator[Float[np.ndarray, "samples"]]:
    """The same a little at a time, of `blocks` that come one by one: none is held."""
    blocks, position, repairs = iter(blocks), begin, _Repairs(path)
    for placement in placements:
        piece = placement.piece
        time, samples = _placed(islice(blocks, piece.last - piece.first), placement, rate)
        hole = round(time * rate) - position
        if end is not None:
            hole = min(hole, end - position)
        repairs.look(hole / rate, piece, is_first=position == begin, is_bounded=end is not None)
        overlap = max(-hole, 0)
        for part in chain(_silence(max(hole, 0), rate), samples):
            later, overlap = part[overlap:], max(overlap - len(part), 0)
            wanted = later if end is None else later[: max(end - position, 0)]
            position += len(later)
            if len(wanted):
                yield wanted
    repairs.report()


def length_of(placements: Sequence[Placement], blocks: Sequence[Block], rate: int) -> int:
    """How many samples `in_pieces` gives from the beginning on, to one for each that drifts."""
    begins = np.concatenate([[0], np.cumsum([block.count for block in blocks])])
    first, position = 0, 0
    for placement in placements:
        last = first + placement.piece.last - placement.piece.first
        count = round(int(begins[last] - begins[first]) * rate / placement.told_rate)
        position = max(position, round(placement.piece.time * rate) + count)
        first = last
    return position


def _silence(count: int, rate: int) -> Iterator[Float[np.ndarray, "samples"]]:
    """So many zeros, a second of them at a time."""
    for first in range(0, count, rate):
        yield np.zeros(min(rate, count - first), np.float32)


def _placed(
    blocks: Iterator[Block], placement: Placement, rate: int
) -> tuple[float, Iterator[Float[np.ndarray, "samples"]]]:
    """When the samples of a piece that are wanted begin (s), and they themselves, `rate` a second.

    The blocks are all of the piece's.
    """
    unwanted, first = 0, []
    for block in blocks:
        if len(block.samples):
            first = [block]
            break
        unwanted += block.count
    skipped = unwanted / placement.rate * (1 + placement.piece.drift)
    samples = (block.samples for block in chain(first, blocks))
    return placement.piece.time + skipped, resampled(samples, placement.told_rate, rate)


class _Repairs:
    """What was done to sound, for one line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._filled = self._left_out = self._drift = 0.0

    def look(self, hole: float, piece: Piece, is_first: bool, is_bounded: bool) -> None:
        """Takes the hole (s; negative: overlap) before a piece; silence before all is none."""
        if abs(piece.drift) > abs(self._drift):
            self._drift = piece.drift
        if is_first or abs(hole) <= SLACK:
            return
        self._filled += max(hole, 0)
        self._left_out += max(-hole, 0)
        if self._filled > MOST_SILENCE and not is_bounded:
            raise UserError(
                f"{self._path}: its sound has holes of more than {MOST_SILENCE:g} s in all; ask for"
                " a part of it, or cut it there"
            )

    def report(self) -> None:
        """Remarks on what was done, if anything."""
        done = []
        if self._filled:
            done.append(f"{self._filled:.2f} s without sound are silent")
        if self._left_out:
            done.append(f"{self._left_out:.2f} s that overlap are left out")
        if self._drift:
            way = "slow" if self._drift > 0 else "fast"
            done.append(f"its clock, {abs(self._drift):.1%} {way}, is put right")
        if done:
            line = f"{self._path}: sound and its time stamps disagree: {', '.join(done)}"
            warnings.warn(line, Remark, stacklevel=2)
