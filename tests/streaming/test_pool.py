"""Many streams in one batch do not know of each other."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from jaxreact import ReactionStream, StreamPool
from jaxreact.errors import ArgumentError
from jaxreact.streaming.pool import PooledStream
from jaxreact.streaming.smoothing import smoothed
from tests.streaming.systems import KEY, answer, belfusion, fiber, framewise, joined, person

FRAMES = 24
SYSTEMS = {
    "fiber": lambda: fiber().in_steps(4),
    "framewise": lambda: framewise(),
    "belfusion": lambda: belfusion(),
}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_streams_that_come_and_go(system):
    """Five listeners in three places, each fed in pieces of its own, at its own times: each gives
    what the whole clip gives."""
    system, rng = system(), np.random.default_rng(0)
    pool = StreamPool(system, capacity=3)
    people = [person(FRAMES, seed) for seed in range(5)]
    keys = jax.random.split(KEY, 5)
    waiting, made = list(range(5)), {n: [] for n in range(5)}
    open_: dict[int, tuple[PooledStream, int]] = {}
    while waiting or open_:
        if waiting and len(pool) < 3 and rng.uniform() < 0.5:
            number = waiting.pop(0)
            open_[number] = pool.open(key=keys[number]), 0
        for number, (stream, frame) in list(open_.items()):
            end = min(frame + int(rng.integers(0, 7)), FRAMES)
            stream.feed(**people[number].part(frame, end), time=100 * number + frame / 25)
            open_[number] = stream, end
            if end == FRAMES:
                stream.finish()
        while pool.advance():
            pass
        for number, (stream, frame) in list(open_.items()):
            made[number] += stream.take()
            if frame == FRAMES:
                stream.close()
                del open_[number]
    for number, who in enumerate(people):
        expected = answer(system, who, key=keys[number])
        for got, whole in zip(joined(made[number]), expected, strict=True):
            np.testing.assert_allclose(got, whole[0], rtol=0, atol=1e-5)
        assert made[number][0].time == 100 * number


def test_nothing_is_compiled_for_a_stream_that_begins(caplog):
    """After `warm_up`, whatever batches there are."""
    pool, who = StreamPool(framewise(), capacity=6), person(16)
    pool.warm_up()
    with jax.log_compiles():
        for number in range(6):
            stream = pool.open(key=jax.random.key(number))
            stream.feed(**who.part(0, 16))
            if number in (0, 2, 5):
                assert pool.advance() == {0: 1, 2: 2, 5: 3}[number]
                assert pool.advance() == {0: 1, 2: 2, 5: 3}[number]
    assert "Compiling" not in caplog.text


def test_options_of_each_stream():
    pool, who = StreamPool(framewise(), capacity=2, temperature=0.5), person(8)
    calm: dict[str, Any] = {"temperature": 0.0, "micro_motion": 0.0}
    streams = [pool.open(key=KEY), pool.open(key=KEY, **calm)]
    for stream in streams:
        stream.feed(**who.part(0, 8))
    pool.advance()
    own: dict[str, Any]
    for stream, own in zip(streams, ({"temperature": 0.5}, calm), strict=True):
        expected = answer(framewise(), who, **own)[0][0]
        np.testing.assert_allclose(joined(stream.take())[0], expected, rtol=0, atol=1e-5)


def test_each_stream_is_smoothed_as_it_likes():
    pool, who = StreamPool(framewise(), capacity=2, smoothing=1), person(16)
    made = []
    for options in ({}, {"smoothing": 0}, {"smoothing": 3}):
        stream = pool.open(key=KEY, **options)
        stream.feed(**who.part(0, 16), time=0.0)
        stream.finish()
        while pool.advance():
            pass
        made.append(joined(stream.take())[0])
        stream.close()
    plain = answer(framewise(), who)[0][0]
    for got, frames in zip(made, (1, 0, 3), strict=True):
        np.testing.assert_allclose(got, smoothed(plain, frames), rtol=0, atol=1e-5)
    with pytest.raises(ArgumentError, match="smoothing -1"):
        pool.open(key=KEY, smoothing=-1)


def test_options_that_all_streams_share():
    pool = StreamPool(fiber(), capacity=2)
    pool.open(key=KEY)
    with pytest.raises(ArgumentError, match="top_p: the same for all streams of a pool"):
        pool.open(key=KEY, top_p=0.5)
    pool.open(key=KEY, temperature=0.3)


def test_there_is_room_for_so_many():
    pool = StreamPool(framewise(), capacity=1)
    first = pool.open(key=KEY)
    with pytest.raises(ArgumentError, match="all 1 places are taken; close a stream first"):
        pool.open(key=KEY)
    first.close()
    first.close()  # once is enough, and does not close the next one
    second = pool.open(key=KEY)
    first.close()
    assert len(pool) == 1
    second.close()


def test_systems_of_one_stream_at_a_time():
    system = dataclasses.replace(framewise(), mixes=False)
    with pytest.raises(ArgumentError, match="framewise takes one stream at a time; give a cap"):
        StreamPool(system, capacity=2)
    assert len(ReactionStream(system, key=KEY).feed(**person(8).part(0, 8))) == 8


def test_systems_that_see_pictures():
    system = dataclasses.replace(framewise(), needs=frozenset({"audio", "video"}))
    with pytest.raises(ArgumentError, match="framewise needs the speaker's video, which no stream"):
        ReactionStream(system, key=KEY)
