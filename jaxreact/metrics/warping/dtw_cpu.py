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
        """For sequences of `rows` frames against one of `columns` frames.

        `weights` of the three blocks' distances give the total that `distances` may limit.
        """
        self._columns = columns
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
        many: list[Float[np.ndarray, "rows 25"]],
        here: Float[np.ndarray, "columns 25"],
        limits: Float[np.ndarray, "many"],
    ) -> Float[np.ndarray, "3 many"] | None:
        """The warping distances that `jaxreact.metrics.warping.dtw.dtw` defines, float64.

        Summed in float32 like there; a sequence's distance does not depend on its company. None as
        soon as the weighted total of every sequence must become more than its limit: every path
        passes every row, and sums only grow along it.
        """
        for lane in range(LANES):
            # Lanes left over repeat the last sequence.
            self._x[..., lane] = many[min(lane, len(many) - 1)]
        self._y[: self._columns] = here
        frontier, least = self._frontier.reshape(-1), self._least.reshape(-1)
        if not _warp(self._x.reshape(-1), self._y, frontier, least, limits, self._weights):
            return None
        return np.sqrt(self._frontier[self._columns - 1, :, : len(many)].astype(np.float64))


@njit(nogil=True, error_model="numpy")
def _warp(x, y, frontier, least_of_row, limits, weights):
    """Leaves in `frontier` (columns, 3, lanes) the last row of the cumulated squared distances.

    False, and nothing of use, where all lanes are beyond their limits.

    Row by row; `x` (rows, 25, lanes) is flat, `y` (columns, 25) has an even number of columns.
    Two columns at once share the loads of x, which are what the loop waits for.
    """
    never, zero = spread(_NEVER), spread(_ZERO)
    for place in range(0, frontier.size, LANES):
        store(frontier, place, never)
    for row in range(0, x.size, _CHANNELS * LANES):
        if row % _CHECKED == 0 and row > 0:
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
