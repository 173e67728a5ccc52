"""Faces linked into persons."""

import numpy as np
import pytest

from jaxreact.tracking.box import Box
from jaxreact.tracking.people import People

RNG = np.random.default_rng(0)
ROOM, STREET = (
    RNG.integers(0, 255, (25, 50, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(2)
)
LEFT, RIGHT = Box(80.0, 80.0, 50.0), Box(300.0, 80.0, 50.0)


def _moved(box: Box, x: float) -> Box:
    return Box(box.x + x, box.y, box.side)


def test_persons_keep_their_numbers_whatever_the_order():
    people = People()
    people.look(0.0, [LEFT, RIGHT], ROOM, 0)
    people.look(0.1, [_moved(RIGHT, 9), _moved(LEFT, 9)], ROOM, 0)
    assert people.present == {0: _moved(LEFT, 9), 1: _moved(RIGHT, 9)}


def test_who_is_away_is_not_taken_for_who_is_there():
    people = People()
    people.look(0.0, [LEFT, RIGHT], ROOM, 0)
    people.look(0.1, [RIGHT], ROOM, 0)
    assert people.present == {1: RIGHT}
    people.look(5.0, [RIGHT, LEFT], ROOM, 0)
    assert people.present == {0: LEFT, 1: RIGHT}


def test_another_place_is_another_person():
    people = People()
    people.look(0.0, [LEFT], ROOM, 0)
    people.look(0.1, [RIGHT], ROOM, 0)
    assert people.present == {1: RIGHT}


def test_the_nearest_is_the_same_where_two_are_near():
    people = People()
    people.look(0.0, [LEFT], ROOM, 0)
    people.look(0.1, [_moved(LEFT, 40), _moved(LEFT, 5)], ROOM, 0)
    assert people.present[0] == _moved(LEFT, 5)


def test_after_a_cut_only_who_looks_the_same_is_the_same():
    people = People()
    people.look(0.0, [LEFT], ROOM, 0)
    people.look(0.04, [LEFT], STREET, 1)
    assert people.present == {1: LEFT}
    people.look(0.08, [LEFT], ROOM, 0)  # back in the first shot
    assert people.present == {0: LEFT}
    people.look(0.12, [LEFT], ROOM, 2)  # another scene around the same face at the same place
    assert people.present == {0: LEFT}


def test_the_most_prominent_is_large_and_there_for_long():
    people = People()
    small, large = Box(80.0, 80.0, 40.0), Box(300.0, 80.0, 50.0)
    for i in range(101):
        people.look(i / 10, [small, large] if i > 50 else [small], ROOM, 0)
    assert people.most_prominent() == 0
    assert people.prominence(0) == pytest.approx(1600)
    assert people.prominence(1) == pytest.approx(2500 * 0.25, rel=0.05)
    assert people.largest() == 1
    larger = Box(300.0, 80.0, 80.0)
    for i in range(101, 201):
        people.look(i / 10, [small, larger], ROOM, 0)
    assert people.most_prominent() == 1


def test_nobody():
    people = People()
    assert people.most_prominent() is people.largest() is None
    people.look(0.0, [], ROOM, 0)
    assert people.present == {}
