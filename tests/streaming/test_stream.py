"""A stream gives what the whole clip gives, however it is cut."""

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from jaxreact import ReactionStream
from jaxreact.errors import ArgumentError
from jaxreact.streaming.outputs import Reaction
from jaxreact.streaming.smoothing import smoothed
from tests.streaming.systems import (
    KEY,
    Person,
    answer,
    belfusion,
    fiber,
    framewise,
    joined,
    person,
)

FRAMES = 37
SYSTEMS = {
    "fiber": lambda: fiber(),
    "fiber in short steps": lambda: fiber().in_steps(2),
    "framewise": lambda: framewise(),
    "framewise by frames": lambda: framewise().in_steps(1),
    "belfusion": lambda: belfusion(),
}


def streamed(
    stream: ReactionStream, who: Person, rng: np.random.Generator, begin: float = 0.0
) -> list[Reaction]:
    """Everything that one speaker gets, from pieces of any size."""
    made: list[Reaction] = []
    frame, sample, frames = 0, 0, len(who.coeffs)
    while frame < frames or sample < frames * 640:
        rows, sound = int(rng.integers(0, 9)), int(rng.integers(0, 4000))
        made += stream.feed(
            audio=who.sound[sample : sample + sound],
            coeffs=who.coeffs[frame : frame + rows],
            emotion=who.emotion[frame : frame + rows],
            time=begin + frame / 25,
            audio_time=begin + sample / 16000,
        )
        frame, sample = min(frame + rows, frames), min(sample + sound, frames * 640)
    return made + stream.finish()


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_a_stream_is_the_causal_answer_to_the_whole(system):
    system, who = system(), person(FRAMES)
    expected = answer(system, who, 2)
    for seed in range(2):
        stream = ReactionStream(system, 2, key=KEY)
        made = streamed(stream, who, np.random.default_rng(seed), begin=3.0)
        np.testing.assert_allclose([x.time for x in made], 3 + np.arange(FRAMES) / 25)
        for got, whole in zip(joined(made), expected, strict=True):
            np.testing.assert_allclose(got, whole, rtol=0, atol=1e-5)
        assert not any(dataclasses.astuple(stream.bridged))


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_nothing_is_known_before_its_time(system):
    """What comes from a step on changes no reaction before that; a system with a lead answers it
    in the next step only."""
    system, who = system(), person(72)
    other = person(72, seed=1)
    later = Person(
        np.concatenate([who.coeffs[:20], other.coeffs[20:] + 1]),
        np.concatenate([who.sound[: 20 * 640], other.sound[20 * 640 :] * 3]),
        np.concatenate([who.emotion[:20], other.emotion[20:]]),
    )
    first = 20 // system.step * system.step + system.lead
    for one, other in zip(answer(system, who, 8), answer(system, later, 8), strict=True):
        np.testing.assert_array_equal(one[:, :first], other[:, :first])
        assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize(
    ("ahead", "expected"), [(False, [0, 7, 1, 12, 0]), (True, [8, 0, 8, 8, 0])]
)
def test_reactions_come_when_their_time_has_come(ahead, expected):
    """Of FIBER, which knows the next 8 frames when it has seen the last ones."""
    who, stream = person(20), ReactionStream(fiber(), key=KEY, ahead=ahead)
    made = [
        stream.feed(audio=who.sound[: 8 * 640]),
        stream.feed(coeffs=who.coeffs[:7]),
        stream.feed(coeffs=who.coeffs[7:8]),
        stream.feed(audio=who.sound[8 * 640 :], coeffs=who.coeffs[8:]),
        stream.finish(),
    ]
    assert [len(each) for each in made] == expected


def test_it_is_smoothed_and_so_much_later():
    system, who = framewise(), person(FRAMES)
    stream = ReactionStream(system, key=KEY, smoothing=3)
    made = joined(streamed(stream, who, np.random.default_rng(0)))
    plain = answer(system, who)
    for got, rough in zip(made, plain, strict=True):
        np.testing.assert_allclose(got, smoothed(rough[0], 3), rtol=0, atol=1e-5)
    calm, restless = (np.abs(np.diff(faces, axis=0)).mean() for faces in (made[0], plain[0][0]))
    assert calm < restless / 2
    stream = ReactionStream(system, key=KEY, smoothing=3)
    assert len(stream.feed(**who.part(0, FRAMES))) == 32 - 3


def test_options_are_those_of_the_system():
    who, options = person(24), {"temperature": 0.3, "top_k": 3}
    stream = ReactionStream(fiber(), key=KEY, **options)
    (got, _), (expected, _) = (
        joined(streamed(stream, who, np.random.default_rng(0))),
        answer(fiber(), who, **options),
    )
    np.testing.assert_allclose(got, expected[0], rtol=0, atol=1e-5)
    likely, _ = answer(fiber(), who, key=None, top_k=1)
    assert np.abs(likely[0] - got).max() > 1e-3


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "future": ({"causal": False}, "a stream knows no future"),
    "samples": ({"num_samples": 0}, "num_samples 0 is less than 1"),
    "smoothing": ({"smoothing": -1}, "smoothing -1 is less than 0"),
    "gap": ({"max_gap": float("nan")}, "max_gap nan is less than 0"),
    "patience": ({"patience": -1.0}, r"patience -1.0 is less than 0"),
}


@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_asked_for(options, said):
    with pytest.raises(ArgumentError, match=said):
        ReactionStream(framewise(), key=KEY, **options)


@pytest.mark.parametrize(("system", "frames"), [(fiber, 3), (framewise, 0), (belfusion, 4)])
def test_a_step_that_cannot_be(system, frames):
    with pytest.raises(ArgumentError, match=f"a step of {frames} frames"):
        system().in_steps(frames)


def test_a_stream_that_has_ended_takes_no_more():
    stream = ReactionStream(framewise(), key=KEY)
    assert stream.finish() == []
    with pytest.raises(ValueError, match="this stream has ended"):
        stream.feed(coeffs=np.zeros((1, 58)))


def test_a_key_is_needed():
    with pytest.raises(ValueError, match="a key= is needed"):
        ReactionStream(fiber())
    assert len(ReactionStream(fiber(), top_k=1).feed(**person(8).part(0, 8))) == 8


def test_samples_are_those_of_one_key():
    """Each of its own; the first is what a stream of one sample gives."""
    fed, key = person(16).part(0, 16), jax.random.key(9)
    single, both = (joined(ReactionStream(framewise(), n, key=key).feed(**fed))[0] for n in (1, 2))
    assert (single.shape, both.shape) == ((16, 58), (2, 16, 58))
    np.testing.assert_allclose(single, both[0], rtol=0, atol=1e-6)
    assert np.abs(both[0] - both[1]).max() > 1e-3
