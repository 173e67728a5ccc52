"""A clip whose sound comes a little at a time is answered as by `causal=True`."""

from dataclasses import replace

import numpy as np
import pytest

from jaxreact.streaming.long_clip import answers, can_stream
from tests.streaming.systems import KEY, Person, answer, belfusion, fiber, framewise, joined, person

FRAMES = 83
SYSTEMS = {"fiber": fiber, "framewise": framewise, "belfusion": belfusion}


def _parts(sound: np.ndarray, size: int = 1111):
    return (sound[first : first + size] for first in range(0, len(sound), size))


def _rows(system, who: Person) -> dict[str, np.ndarray]:
    return {name: getattr(who, name) for name in ("coeffs", "emotion") if name in system.needs}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
@pytest.mark.parametrize("samples", [1, 2])
def test_answers_are_those_of_the_whole(system, samples):
    system, who = system(), person(FRAMES)
    made = joined(list(answers(system, _rows(system, who), _parts(who.sound), samples, key=KEY)))
    for got, whole in zip(made, answer(system, who, samples), strict=True):
        np.testing.assert_allclose(got.reshape(whole.shape), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("seconds", [-0.4, 2.3])
def test_sound_that_ends_early_or_goes_on(seconds):
    """What lacks is silent, what is more is not looked at, nor read."""
    system, who = framewise(), person(FRAMES)
    samples = FRAMES * 640 + round(seconds * 16000)
    sound = np.resize(who.sound, samples)
    padded = np.pad(sound, (0, max(FRAMES * 640 - samples, 0)))[: FRAMES * 640]
    whole = answer(system, replace(who, sound=padded))
    parts = _parts(sound)
    made = joined(list(answers(system, _rows(system, who), parts, key=KEY)))
    for got, expected in zip(made, whole, strict=True):
        np.testing.assert_allclose(got, expected[0], rtol=0, atol=1e-5)
    assert (next(parts, None) is None) == (seconds < 1)


@pytest.mark.wrong_arguments
def test_who_can():
    assert all(can_stream(system()) for system in SYSTEMS.values())
    sees = replace(framewise(), needs=frozenset({"audio", "video"}))
    assert not can_stream(sees)
