"""What pages are made of: numbers of axes, thinned curves, lengths of time."""

import numpy as np

from jaxreact.html.axes import log_ticks, ticks
from jaxreact.html.charts import POINTS, thin
from jaxreact.html.numbers import duration, short


def test_thinning_keeps_ends_and_peaks():
    values = np.zeros(100_000)
    values[54_321], values[-1], values[777] = 5, 1, -5
    steps, kept = thin(np.arange(len(values)), values)
    assert len(steps) <= POINTS + 2
    assert (np.diff(steps) > 0).all()
    assert {0, 777, 54_321, 99_999} <= set(steps.tolist())
    np.testing.assert_array_equal(kept, values[steps])


def test_ticks_are_round_and_inside():
    assert ticks(0, 1, 5) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(0.31, 1.7, 5) == [0.5, 1, 1.5]
    assert ticks(-3e-5, 4e-5, 5) == [-2e-5, 0, 2e-5, 4e-5]
    assert log_ticks(0.9, 60) == [1, 2, 5, 10, 20, 50]
    assert log_ticks(0.002, 300) == [0.01, 0.1, 1, 10, 100]


def test_short_numbers():
    assert [short(x) for x in (0, 1500, 20_000, 1_500_000, 1e-5)] == [
        "0",
        "1500",
        "20k",
        "1.5M",
        "1e-05",
    ]


def test_durations():
    assert [duration(x) for x in (0.4, 59, 61, 3600, 90_000)] == [
        "0 s",
        "59 s",
        "1 min 1 s",
        "1 h 0 min",
        "1 d 1 h",
    ]
