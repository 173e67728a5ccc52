"""What a stream is fed: what is waited for, what is refused."""

import math

import numpy as np
import pytest

from jaxreact import ReactionStream
from jaxreact.streaming.inputs import Inputs
from tests.streaming.systems import KEY, MEAN, belfusion, framewise, joined, person


def test_what_is_late_is_waited_for():
    """Without end, unless told for how long."""
    who, inputs = person(50), Inputs(framewise(), 0.5, None)
    inputs.feed(who.sound, {}, 0.0, None)
    assert not inputs.is_due()
    inputs.feed(None, {"coeffs": who.coeffs}, 0.0, None)
    assert inputs.is_due()
    given = inputs.take()
    np.testing.assert_array_equal(given.coeffs, who.coeffs[None, :8])
    np.testing.assert_array_equal(given.waveform, who.sound[None, : 8 * 640])


def test_what_is_too_late_is_held():
    """The average face before the first, silence for sound; from then on it goes on as it comes."""
    who, inputs = person(50), Inputs(framewise(), 0.5, 0.4)
    inputs.feed(who.sound[: 18 * 640], {}, 0.0, None)
    assert inputs.is_due()  # 18 frames less the 10 that are waited for
    given = inputs.take()
    assert given.coeffs is not None
    np.testing.assert_allclose(given.coeffs, np.broadcast_to(MEAN, (1, 8, 58)), atol=1e-6)
    inputs.feed(None, {"coeffs": who.coeffs}, 0.0, None)
    assert not inputs.is_due() or inputs.heard >= 16
    assert inputs.heard == 40  # 50 of the face, less 10, for which there is no sound any more
    assert inputs.bridged.silent == pytest.approx(22 / 25)
    assert inputs.bridged.held == 8
    later = inputs.take().coeffs
    assert later is not None
    np.testing.assert_array_equal(later, who.coeffs[None, 8:16])


def test_a_whole_clip_may_be_fed_at_once():
    """Longer than any hole may be."""
    who = person(25 * 70)
    stream = ReactionStream(belfusion(), key=KEY)
    made = stream.feed(emotion=who.emotion, time=10.0) + stream.finish()
    assert len(made) == 25 * 70
    assert made[-1].time == pytest.approx(10 + 70 - 1 / 25)


@pytest.mark.wrong_arguments
@pytest.mark.parametrize(
    ("fed", "words"),
    [
        ({"coeffs": np.zeros((2, 57))}, r"coeffs \(2, 57\), expected rows of 58"),
        ({"coeffs": np.full((1, 58), math.nan)}, "coeffs are not all finite"),
        ({"audio": np.zeros((2, 2))}, r"audio \(2, 2\) of float64, expected"),
        ({"audio": np.zeros(2, np.int16)}, "of int16, expected"),
        ({"audio": np.array([0, math.inf])}, "audio is not all finite"),
        ({"coeffs": np.zeros((2, 58)), "time": np.zeros(3)}, "for 2 rows of coeffs; one each"),
        (
            {"coeffs": np.zeros((1, 58)), "time": 90.0},
            "coeffs at 90.00 s of a stream that has come",
        ),
        ({"coeffs": np.zeros((1, 58)), "time": math.nan}, "coeffs at nan s"),
        ({"audio": np.zeros(9), "audio_time": 1e9}, "audio at 1000000000.00 s"),
        ({"audio": np.zeros(9), "audio_time": -math.inf}, "audio at -inf s"),
    ],
)
def test_what_is_refused_leaves_the_stream_as_it_was(fed, words):
    who = person(24)
    one, other = (ReactionStream(framewise(), key=KEY) for _ in range(2))
    made = [stream.feed(**who.part(0, 9), time=0.0) for stream in (one, other)]
    with pytest.raises(ValueError, match=words):
        one.feed(**fed)
    for stream, so_far in zip((one, other), made, strict=True):
        so_far += stream.feed(**who.part(9, 24), time=9 / 25) + stream.finish()
    for got, expected in zip(joined(made[0]), joined(made[1]), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.wrong_arguments
def test_what_a_system_does_not_need_is_not_looked_at():
    stream = ReactionStream(belfusion(), key=KEY)
    who = person(10)
    made = stream.feed(emotion=who.emotion, coeffs=np.full((3, 58), np.nan), audio=np.zeros((3, 3)))
    assert len(made) == 10


def test_camera_and_sound_card_have_clocks_of_their_own():
    """A camera of 30 pictures a second with a hole, a card that is a thousandth fast: a minute
    later both are where they should be."""
    rng, stream = np.random.default_rng(0), ReactionStream(framewise(), key=KEY)
    times = np.arange(0, 60, 1 / 30)
    times = times[(times < 20) | (times > 22)] + 7
    rows = MEAN + rng.normal(size=(len(times), 58)) / 50
    made, at = [], 0
    for second in range(60):
        seen = (times >= 7 + second) & (times < 8 + second)
        count = round((second + 1) * 16000 * 1.001) - at
        sound = np.zeros(count, np.float32)
        for part in np.array_split(np.arange(count), 25):
            stamp = 7 + (at + part[0]) / 16000 / 1.001
            made += stream.feed(audio=sound[part], audio_time=stamp)
        made += stream.feed(coeffs=rows[seen], time=times[seen])
        at += count
    made += stream.finish()
    bridged = stream.bridged
    assert made[0].time == 7
    np.testing.assert_allclose(np.diff([x.time for x in made]), 1 / 25)
    assert made[-1].time == pytest.approx(7 + 60 - 1 / 25, abs=0.05)
    assert 45 <= bridged.held <= 51
    assert bridged.stretched == pytest.approx(-0.06, abs=0.02)
    assert (bridged.late, bridged.left_out) == (0, 0)
