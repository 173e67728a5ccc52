"""Sound by a card's clock -> sound by the stream's."""

import numpy as np
import pytest

from jaxreact.streaming.sound import DRIFT, JUMP, Sound

RNG = np.random.default_rng(0)
RATE = 16000


def noise(seconds: float) -> np.ndarray:
    return RNG.normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def taken(sound: Sound) -> np.ndarray:
    return sound.take(sound.ready)


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("jitter", [0.0, 0.02])
def test_steady_sound_is_as_it_came(stamped, jitter):
    """However it is cut, and though stamps are never right."""
    given, sound, at = noise(6), Sound(), 0
    for count in [0, 1, *RNG.integers(0, 1500, 200)]:
        time = at / RATE + (jitter * RNG.uniform(-0.4, 0.4) if at else 0)
        sound.feed(given[at : at + count], time if stamped else None)
        at = min(at + count, len(given))
    np.testing.assert_array_equal(taken(sound), given)
    assert (sound.silent, sound.left_out, sound.stretched) == (0, 0, 0)


def test_holes_are_silent_and_what_comes_again_is_left_out():
    given, sound = noise(3), Sound()
    pieces = np.split(given, 3)
    sound.feed(pieces[0], 0.0)
    sound.feed(pieces[2], 2.0)  # the second is missing
    sound.feed(pieces[1], 1.0)  # and comes too late
    sound.feed(pieces[2], 2.0)  # and then again
    sound.feed(pieces[0], 2.5)  # overlaps by half
    made = taken(sound)
    silence = np.zeros(RATE, np.float32)
    half = RATE // 2
    expected = np.concatenate([pieces[0], silence, pieces[2], pieces[0][half:]])
    np.testing.assert_array_equal(made, expected)
    assert (sound.silent, sound.left_out) == (RATE, RATE + RATE + half)


def test_what_begins_later_or_earlier_is_placed_at_once():
    later, earlier, given = Sound(), Sound(), noise(0.5)
    later.feed(given, 0.05)
    assert JUMP > 0.05
    np.testing.assert_array_equal(taken(later), np.pad(given, (800, 0)))
    earlier.feed(given, -0.05)
    np.testing.assert_array_equal(taken(earlier), given[800:])
    assert (later.silent, earlier.left_out) == (800, 800)


@pytest.mark.parametrize("share", [0.001, -0.001, 0.005])
def test_a_clock_that_differs_stays_within_a_frame(share):
    """Ten minutes of pieces of 40 ms from a card that is so much too fast."""
    sound, true_time, at = Sound(), 0.0, 0
    worst = 0.0
    for _ in range(15000):
        count = round((true_time + 0.04) * RATE * (1 + share)) - at
        sound.feed(np.zeros(count, np.float32), true_time)
        at, true_time = at + count, true_time + 0.04
        worst = max(worst, abs(sound.ready / RATE - true_time))
        sound.take(sound.ready)
    assert worst < 0.02
    assert sound.stretched == pytest.approx(-share * 600 * RATE, abs=DRIFT * 2 * RATE)
    assert (sound.silent, sound.left_out) == (0, 0)


def test_stretched_sound_is_the_same_sound():
    """A tone by a fast card, told when it is: nothing of it is lost, and it does not jump."""
    sound, at = Sound(), 0
    made = []
    for number in range(1000):
        count = 644 if number % 2 else 640  # 0.3 % too many
        tone = np.sin(2 * np.pi * 440 * (at + np.arange(count)) / (RATE * (1 + 2 / 640)))
        sound.feed(tone.astype(np.float32), number * 0.04)
        made.append(sound.take(sound.ready))
        at += count
    whole = np.concatenate(made)
    assert abs(len(whole) / RATE - 40) < 0.02
    assert np.abs(np.diff(whole)).max() < 2 * np.pi * 440 / RATE * 1.02
    assert np.abs(whole).max() < 1.001
    cycles = np.count_nonzero((whole[:-1] < 0) & (whole[1:] >= 0))
    assert cycles == pytest.approx(440 * 40, abs=10)


def test_one_goes_on_in_silence():
    sound, given = Sound(), noise(0.1)
    sound.feed(given, 0.0)
    sound.hold(2000)
    sound.hold(1000)
    np.testing.assert_array_equal(taken(sound), np.pad(given, (0, 400)))
    assert sound.silent == 400
