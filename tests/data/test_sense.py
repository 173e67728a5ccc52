"""Numbers that can be read and make no sense, and those that do."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from jaxreact.data.sense import (
    doubts_of_coeffs,
    doubts_of_emotion,
    doubts_of_mean_face,
    doubts_of_predicted_coeffs,
    doubts_of_scale,
    doubts_of_sound,
    longest_still,
)
from jaxreact.face import NEUTRAL_ROTATION, NEUTRAL_TRANSLATION

RNG = np.random.default_rng(0)
MEAN = np.array([*RNG.uniform(0, 0.5, 52), *NEUTRAL_ROTATION, *NEUTRAL_TRANSLATION], np.float32)


def face(frames: int = 100) -> np.ndarray:
    """Coefficients like the release's."""
    rng = np.random.default_rng(1)
    spread = np.array([*np.full(52, 0.2), 0.18, 0.35, 0.13, 0.09, 0.04, 0.46], np.float32)
    table = MEAN + rng.normal(size=(frames, 58)).clip(-2.5, 2.5) * spread
    table[:, :52] = table[:, :52].clip(0)
    return table.astype(np.float32)


def emotion(frames: int = 100) -> np.ndarray:
    rng = np.random.default_rng(2)
    units = rng.integers(0, 2, (frames, 15))
    return np.concatenate(
        [units, rng.uniform(-1.1, 1.1, (frames, 2)), rng.dirichlet(np.ones(8), frames)], axis=1
    ).astype(np.float32)


def voice(samples: int = 16000) -> np.ndarray:
    rng = np.random.default_rng(3)
    return (0.1 * rng.normal(size=samples)).clip(-1, 1).astype(np.float32)


def test_what_makes_sense():
    quiet_room = voice() * np.float32(0.01)
    assert doubts_of_coeffs(face()) == doubts_of_emotion(emotion()) == []
    assert doubts_of_sound(voice()) == doubts_of_sound(quiet_room) == []
    assert doubts_of_mean_face(MEAN, face().mean(axis=0)) == doubts_of_mean_face(MEAN, None) == []
    assert doubts_of_coeffs(face(0)) == doubts_of_emotion(emotion(0)) == []
    assert doubts_of_sound(voice(0)) == []
    assert doubts_of_coeffs(face(1)) == doubts_of_emotion(emotion(1)) == []


def changed(part: slice, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    table = face()
    table[:, part] = change(table[:, part])
    return table


def unwrapped(angles: np.ndarray) -> np.ndarray:
    """As arctan2 gives them: an upright face's pitch flips between pi and -pi."""
    return (angles + np.pi) % (2 * np.pi) - np.pi


TURN = slice(52, 55)


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        (face() - MEAN, "mean face", "an upright face's is pi, and expression weights go down to"),
        (changed(slice(0, 52), lambda x: x - MEAN[:52]), "range", "raw ones are 0 or more"),
        (changed(slice(0, 52), lambda x: 100 * x), "range", "are they percent"),
        (changed(TURN, np.degrees), "units", r"rotations up to 2\d\d, radians; are they degrees"),
        (changed(TURN, unwrapped), "jump", r"jumps by [56].* rad at frame \d+; are angles wrapped"),
        (
            changed(slice(52, 53), lambda x: x - 2 * np.pi),
            "units",
            r"wrapped\? add 2 pi",
        ),
        (changed(slice(55, 58), lambda x: 100 * x), "units", "is it in other units"),
        (changed(slice(55, 58), lambda x: x / 1000), "units", "faces are near"),
        (face()[[0] * 100], "stands still", "in 100 of 100 frames, from frame 0 on"),
        (face()[[*range(40), *[40] * 30, *range(41, 60)]], "stands still", "in 30 of 89 .* 40"),
    ],
)
def test_coefficients_that_make_none(table, kind, message):
    (doubt,) = doubts_of_coeffs(table)
    assert doubt.kind == kind
    assert re.search(message, doubt.message)


def test_a_film_of_another_rate_repeats_frames_and_is_no_matter():
    assert doubts_of_coeffs(face()[np.arange(200) // 2]) == []
    assert longest_still(face()[[0, 1, 1, 1, 2, 2]]) == (3, 1)
    assert longest_still(face()[[0, 0, 0]]) == (3, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: 100 * x, "it is an occurrence, 0 to 1; are columns shifted"),
        (lambda x: np.roll(x, 1, axis=1), "are columns shifted"),
        (lambda x: np.roll(x, -2, axis=1), "are columns shifted"),
        (lambda x: np.concatenate([np.arange(100)[:, None], x[:, :24]], 1), "AU1 from 0 to 99"),
        (lambda x: np.concatenate([5 * x[:, :15], x[:, 15:]], 1), "AU1 from 0 to 5"),
        (lambda x: np.concatenate([x[:, :17], 0.1 * x[:, 17:]], 1), "sum to 0.1 on average"),
        (lambda x: x[[3] * 100], "the same numbers in all 100 frames"),
    ],
)
def test_emotion_that_makes_none(change, message):
    doubts = doubts_of_emotion(change(emotion()).astype(np.float32))
    assert any(message in doubt.message for doubt in doubts)


@pytest.mark.parametrize(
    ("waveform", "kind", "message"),
    [
        (np.zeros(1000, np.float32), "silent", "no sound: its amplitude is 0, full scale being 1"),
        (np.full(1000, 0.2, np.float32), "silent", "it stands at 0.2"),
        (np.full(1000, -1, np.float32), "silent", "it stands at -1"),
        ((voice() * 30).clip(-1, 1), "clipped", "of the samples are at full scale"),
    ],
)
def test_sound_that_makes_none(waveform, kind, message):
    (doubt,) = doubts_of_sound(waveform)
    assert (doubt.kind, message in doubt.message) == (kind, True)


@pytest.mark.parametrize(
    ("mean_face", "message"),
    [
        (np.zeros(58), "zero in all 58 numbers"),
        (np.full(58, 0.3), "its pitch is 0.3, an upright face's is pi"),
        (np.array([*MEAN[:52] + 1, *MEAN[52:]]), "expression weights are up to 1"),
        (np.array([*MEAN[:53], 1.2, *MEAN[54:]]), "rotations are up to 1.2"),
        (np.array([*MEAN[:57], 20.0]), "translations are up to 18.2"),
    ],
)
def test_mean_faces_that_make_none(mean_face, message):
    (doubt,) = doubts_of_mean_face(mean_face.astype(np.float32), MEAN)
    assert (doubt.kind, message in doubt.message) == ("mean face", True)


def test_predictions_may_be_less_exact():
    noise = RNG.normal(size=(20, 3, 10, 25)).astype(np.float32) * 0.5
    assert doubts_of_scale(noise) == []
    (doubt,) = doubts_of_scale(100 * noise)
    assert "is it percent" in doubt.message
    assert doubts_of_scale(noise[:0]) == []
    assert doubts_of_predicted_coeffs(face()[None]) == []
    (doubt,) = doubts_of_predicted_coeffs(face()[None] - MEAN)
    assert "is the mean face subtracted" in doubt.message
