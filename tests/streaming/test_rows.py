"""Rows as cameras give them -> 25 frames a second, as for whole films."""

import numpy as np
import pytest

from jaxreact.streaming.rows import Rows
from jaxreact.tracking.timeline import resample, unwrap_angles

NOBODY = np.full(58, 0.5, np.float32)
RNG = np.random.default_rng(0)


def faces(count: int) -> np.ndarray:
    return RNG.normal(size=(count, 58)).cumsum(axis=0).astype(np.float32) / 20


@pytest.mark.parametrize("rate", [24.0, 25.0, 29.97, 30.0, 60.0])
def test_any_rate_is_brought_to_25_as_whole_films_are(rate):
    """Also with stamps that jitter, and however the rows come."""
    times = np.arange(120) / rate
    times[1:] += RNG.uniform(-0.2, 0.2, 119) / rate
    given = faces(120)
    rows = Rows(58, 0.5)
    for part in np.split(np.arange(120), [1, 2, 30, 31, 77]):
        rows.feed(times[part], given[part])
    count = int(np.floor(times[-1] * 25 + 1e-3)) + 1
    assert rows.ready == count
    made = np.concatenate([rows.take(5), rows.take(count - 5)])
    np.testing.assert_allclose(made, resample(times, given, count), rtol=0, atol=3e-4)
    assert (rows.held, rows.bridged, rows.late) == (0, 0, 0)


def test_frames_on_time_are_as_they_came():
    given, rows = faces(40), Rows(58, 0.5)
    rows.feed(np.arange(40) / 25 + 1e-6, given)
    np.testing.assert_array_equal(rows.take(40), given)


def test_angles_take_the_shorter_way():
    given, rows = faces(20), Rows(58, 0.5)
    given[:, 52] = np.linspace(3.0, 3.5, 20)
    wrapped = given.copy()
    wrapped[:, 52] = np.angle(np.exp(1j * given[:, 52]))
    assert np.abs(np.diff(wrapped[:, 52])).max() > 6
    rows.feed(np.arange(20) / 25, wrapped)
    np.testing.assert_allclose(rows.take(20), unwrap_angles(wrapped), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("hole", "bridged", "held"), [(0.12, 2, 0), (0.48, 11, 0), (0.6, 0, 14), (2.0, 0, 49)]
)
def test_short_holes_are_bridged_and_long_ones_held(hole, bridged, held):
    rows, (before, after) = Rows(58, 0.5), faces(2)
    rows.feed(np.array([0.0, hole]), np.stack([before, after]))
    made = rows.take(rows.ready)
    assert (rows.bridged, rows.held) == (bridged, held)
    if held:
        np.testing.assert_array_equal(made[:-1], np.broadcast_to(before, made[:-1].shape))
    else:
        share = np.arange(len(made))[:, None] / (len(made) - 1)
        np.testing.assert_allclose(made, before + share * (after - before), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(made[-1], after)


def test_after_a_long_hole_angles_go_on_by_the_shorter_way():
    """Before it 3 rad, held; after it the same as -3 rad, which is a little farther round."""
    rows, (before, after) = Rows(58, 0.5), faces(2)
    before[54], after[54] = 3.0, -3.0
    rows.feed(np.array([0.0, 1.0]), np.stack([before, after]))
    np.testing.assert_allclose(rows.take(26)[:, 54], [3.0] * 25 + [2 * np.pi - 3.0], atol=1e-6)


def test_what_comes_too_late_is_left_out():
    rows, given = Rows(58, 0.5), faces(4)
    rows.feed(np.array([0.0, 0.08, 0.04, 0.08]), given)
    assert (rows.ready, rows.late) == (3, 2)
    np.testing.assert_array_equal(rows.take(3)[[0, 2]], given[:2])


def test_one_goes_on_without_a_face():
    """With nobody's before the first; with the last one then, from which the next one goes on."""
    rows, given = Rows(58, 0.5), faces(3)
    rows.hold(2, NOBODY)
    rows.feed(np.array([0.12]), given[:1])  # frame 3
    rows.hold(6, NOBODY)
    rows.feed(np.array([0.32]), given[1:2])  # frame 8, from 5 on unknown: between 3 and 8
    made = rows.take(9)
    np.testing.assert_array_equal(made[:2], np.stack([NOBODY, NOBODY]))
    for frame in (2, 3, 4, 5):
        np.testing.assert_array_equal(made[frame], given[0])
    between = given[0] + np.array([[3], [4], [5]]) / 5 * (given[1] - given[0])
    np.testing.assert_allclose(made[6:], between, rtol=0, atol=1e-6)
    assert rows.held == 2 + 2
    rows.hold(5, NOBODY)  # what is known already stays
    assert rows.ready == 9
