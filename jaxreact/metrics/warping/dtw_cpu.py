"""Dynamic time warping on a CPU: sixteen sequences against one, one in each SIMD lane."""

import numpy as np
from jaxtyping import Float
from numba import njit

from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.warping.dtw import BLOCKS
from jaxreact.metrics.warping.simd import (
    LANES,
    add,
    add_squared_distance,
    aligned,
    least,
    load,
    spread,
    store,
)

_CHANNELS = EMOTION_CHANNELS
(_, _AU), (_, _VA), _ = BLOCKS
_STRIDE = len(BLOCKS) * LANES
_CHECKED = 32 * EMOTION_CHANNELS * LANES  # so much of x between two looks at the limits
_ZERO, _NEVER = np.float32(0), np.float32(np.inf)


class Warper:
    """Compares up to 16 sequences with one other, in buffers of its own: one for each thread.

    For 750 frames they take 1.5 MB.
    """

    def __init__(self, rows: int, columns: int, weights: Float[np.ndarray, "3"]):
        """For sequences of up to `rows` frames against one of up to `columns` frames.

        `weights` of the three blocks' distances give the total that `distances` may limit.
        """
        self._weights = weights
        self._least = aligned(len(BLOCKS), LANES)
        self._x = aligned(rows, _CHANNELS, LANES)
        self._y = np.zeros((columns + columns % 2, _CHANNELS), np.float32)
        self._frontier = aligned(len(self._y), len(BLOCKS), LANES)

    @staticmethod
    def memory(rows: int, columns: int) -> int:
        """Bytes of the buffers."""
        return 4 * (rows * _CHANNELS * LANES + (columns + 1) * (_CHANNELS + _STRIDE))

    def distances(
        self,
        many: list[Float[np.ndarray, "_ 25"]],
        here: Float[np.ndarray, "columns 25"],
        limits: Float[np.ndarray, "many"],
    ) -> Float[np.ndarray, "3 many"] | None:
        """The warping distances that `jaxreact.metrics.warping.dtw.dtw` defines, float64.

        Summed in float32 like there; a sequence's distance does not depend on its company. Given up
        as soon as the weighted total of every sequence that is not at its end must become more than
        its limit: every path passes every row, and sums only grow along it. Then the distances of
        these are infinite, and there is None where no sequence came to its end.
        """
        lengths = np.array([len(each) for each in many])
        self._take(many, int(lengths.max()), here)
        columns = len(here) + len(here) % 2
        y, least = self._y[:columns], self._least.reshape(-1)
        frontier = self._frontier[:columns]
        frontier[:] = _NEVER
        found = np.full((len(BLOCKS), len(many)), np.inf)
        limits, start = np.array(limits, np.float64), 0
        for end in np.unique(lengths):
            x = self._x[:end].reshape(-1)
            flat = frontier.reshape(-1)
            if not _warp(x, start * _CHANNELS * LANES, y, flat, least, limits, self._weights):
                break
            here_ends = np.flatnonzero(lengths == end)
            found[:, here_ends] = frontier[len(here) - 1][:, here_ends]
            limits[here_ends] = -1.0  # it is at its end, and no reason to go on
            start = end
        return None if start == 0 else np.sqrt(found)

    def _take(
        self,
        many: list[Float[np.ndarray, "_ 25"]],
        rows: int,
        here: Float[np.ndarray, "columns 25"],
    ) -> None:
        """Puts sequences into the buffers; what is left over of lanes and frames is 0."""
        for lane in range(LANES):
            # Lanes left over repeat the last sequence.
            sequence = many[min(lane, len(many) - 1)]
            self._x[: len(sequence), :, lane] = sequence
            self._x[len(sequence) : rows, :, lane] = 0
        self._y[: len(here)] = here
        self._y[len(here) : len(here) + len(here) % 2] = 0


@njit(nogil=True, error_model="numpy")
def _warp(x, start, y, frontier, least_of_row, limits, weights):
    """Brings `frontier` (columns, 3, lanes), a row of the cumulated squared distances, from the row
    before the place `start` in x to the last one of x.

    False, and nothing of use, where all lanes are beyond their limits.

    Row by row; `x` (rows, 25, lanes) is flat, `y` (columns, 25) has an even number of columns.
    Two columns at once share the loads of x, which are what the loop waits for. Before the first
    row all of the frontier is infinite.
    """
    never, zero = spread(_NEVER), spread(_ZERO)
    for row in range(start, x.size, _CHANNELS * LANES):
        if row % _CHECKED == 0 and row > start:
            _minima(frontier, least_of_row)
            if _all_beyond(least_of_row, limits, weights):
                return False
        corner = zero if row == 0 else never  # the path begins at (0, 0) for free
        left_au, left_va, left_exp = never, never, never
        corner_au, corner_va, corner_exp = corner, corner, corner
        for column in range(0, len(y), 2):
            here, after = y[column], y[column + 1]
            au, next_au = _costs(x, row, here, after, 0, _AU)
            va, next_va = _costs(x, row, here, after, _AU, _VA)
            exp, next_exp = _costs(x, row, here, after, _VA, _CHANNELS)
            place = column * _STRIDE
            left_au, corner_au = _step(frontier, place, au, left_au, corner_au)
            left_va, corner_va = _step(frontier, place + LANES, va, left_va, corner_va)
            left_exp, corner_exp = _step(frontier, place + 2 * LANES, exp, left_exp, corner_exp)
            place += _STRIDE
            left_au, corner_au = _step(frontier, place, next_au, left_au, corner_au)
            left_va, corner_va = _step(frontier, place + LANES, next_va, left_va, corner_va)
            left_exp, corner_exp = _step(
                frontier, place + 2 * LANES, next_exp, left_exp, corner_exp
            )
    return True


@njit(nogil=True, error_model="numpy")
def _minima(frontier, least_of_row):
    """The smallest sum of a row, (3, lanes)."""
    au, va, exp = spread(_NEVER), spread(_NEVER), spread(_NEVER)
    for place in range(0, frontier.size, _STRIDE):
        au = least(au, load(frontier, place))
        va = least(va, load(frontier, place + LANES))
        exp = least(exp, load(frontier, place + 2 * LANES))
    store(least_of_row, 0, au)
    store(least_of_row, LANES, va)
    store(least_of_row, 2 * LANES, exp)


@njit(nogil=True, error_model="numpy")
def _all_beyond(least_of_row, limits, weights):
    """Whether no lane can stay within its limit any more."""
    for lane in range(len(limits)):
        total = 0.0
        for block in range(len(weights)):
            total += weights[block] * np.sqrt(np.float64(least_of_row[block * LANES + lane]))
        if total <= limits[lane]:
            return False
    return True


@njit(nogil=True, error_model="numpy")
def _costs(x, row, here, after, first, last):
    """Squared distances of a row of x from two frames, over the channels from first to last."""
    total_one, total_two = spread(_ZERO), spread(_ZERO)
    for channel in range(first, last):
        lanes = load(x, row + channel * LANES)
        total_one = add_squared_distance(total_one, lanes, here[channel])
        total_two = add_squared_distance(total_two, lanes, after[channel])
    return total_one, total_two


@njit(nogil=True, error_model="numpy")
def _step(frontier, place, cost, left, corner):
    """One cell: its sum, which replaces the one above it in `frontier`, and the one above it."""
    above = load(frontier, place)
    total = add(cost, least(least(above, corner), left))
    store(frontier, place, total)
    return total, above
