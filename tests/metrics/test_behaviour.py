"""The measures tell a listener who reacts from one who does not."""

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.face import FPS, INDEX, PITCH
from jaxreact.metrics.behaviour import (
    blink_rate,
    gaze_away_fraction,
    nod_rate_after_pauses,
    nod_starts,
    smile_mirroring,
    voice_activity,
)
from jaxreact.simulation.conversation import Performance, perform
from jaxreact.simulation.person import draw_person
from jaxreact.simulation.story import draw_story

FRAMES = 751
RATE = 44_100


@pytest.fixture(scope="module")
def conversations() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ten clips: main listeners' coefficients, main talkers' coefficients, talkers' activity."""
    listeners, speakers, activities = [], [], []
    for number in range(10):
        story = draw_story(0, str(number), FRAMES / FPS)
        both: list[Performance] = [
            perform(0, str(number), story, role, draw_person(0, f"{number}/{role}"), FRAMES)
            for role in (0, 1)
        ]
        active = [voice_activity(one.waveform, RATE) for one in both]
        talker = int(active[1].sum() > active[0].sum())
        listeners.append(both[1 - talker].coeffs)
        speakers.append(both[talker].coeffs)
        activities.append(active[talker])
    return np.stack(listeners), np.stack(speakers), np.stack(activities)


def test_nods_follow_pauses_only_in_ones_own_conversation(conversations):
    listeners, _, activity = conversations
    real = nod_rate_after_pauses(listeners, activity, np.random.default_rng(0))
    assert real.pauses > 40
    assert real.ratio > 1.8
    assert real.p_value < 0.01
    shuffled = nod_rate_after_pauses(np.roll(listeners, 1, 0), activity, np.random.default_rng(0))
    assert shuffled.ratio < 1.4
    assert shuffled.p_value > 0.02


def test_smiles_are_mirrored_only_in_ones_own_conversation(conversations):
    listeners, speakers, _ = conversations
    real = smile_mirroring(listeners, speakers)
    assert 0.5 <= real.lag <= 1.9  # onset lags of 0.5-1.5 s, and the answer lasts longer
    assert real.correlation > 0.2
    assert real.correlation > real.simultaneous + 0.15
    for shift in (1, 3):
        assert smile_mirroring(np.roll(listeners, shift, 0), speakers).correlation < 0.15


def test_rates_are_people_s(conversations):
    listeners, speakers, _ = conversations
    assert 10 < blink_rate(listeners) < 30
    assert 10 < blink_rate(speakers) < 32
    assert 0.1 < gaze_away_fraction(listeners) < 0.35
    assert gaze_away_fraction(speakers) > gaze_away_fraction(listeners) + 0.1


def test_hand_made_nods_are_found_where_they_are():
    coeffs = np.zeros((250, 58))
    times = np.arange(250) / FPS
    for start in (3.0, 7.0):
        phase = np.clip((times - start) * 2.5, 0, 2)
        coeffs[:, PITCH] += 0.04 * (1 - np.cos(2 * np.pi * phase))
    coeffs[:, PITCH] += 0.2 * np.sin(2 * np.pi * times / 8)  # posture, not a nod
    starts = np.flatnonzero(nod_starts(coeffs)) / FPS
    np.testing.assert_allclose(starts, (3.0, 7.0), atol=0.3)


def test_no_nods_no_ratio():
    activity = (np.arange(500) // 50 % 2 == 0)[None]
    timing = nod_rate_after_pauses(np.zeros((1, 500, 58)), activity, np.random.default_rng(0))
    assert (timing.rate, timing.ratio, timing.p_value) == (0.0, 0.0, 1.0)
    assert timing.pauses == 5
    silent = nod_rate_after_pauses(
        np.zeros((500, 58)), np.zeros(500, bool), np.random.default_rng(0)
    )
    assert silent.pauses == 0


def test_an_exact_copy_has_its_lag_and_correlation_one():
    rng = np.random.default_rng(0)
    track = np.convolve(rng.normal(size=800), np.hanning(30), "same")
    speaker, listener = np.zeros((700, 58)), np.zeros((700, 58))
    both = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
    speaker[:, both] = track[50:750, None]
    listener[:, both] = track[25:725, None]
    found = smile_mirroring(listener, speaker)
    assert found.lag == 1.0
    assert found.correlation == pytest.approx(1, abs=0.02)
    assert np.isnan(smile_mirroring(np.zeros((100, 58)), np.zeros((100, 58))).lag)


def test_blinks_and_glances_are_counted():
    coeffs = np.zeros((1500, 58))
    lids = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    for start in range(100, 1500, 150):
        coeffs[start : start + 5, lids] = 0.9
    assert blink_rate(coeffs) == pytest.approx(10)
    coeffs[:300, [INDEX["eyeLookOutLeft"], INDEX["eyeLookInRight"]]] = 0.5
    assert gaze_away_fraction(coeffs) == pytest.approx(0.2)


def test_a_glance_is_measured_in_its_own_clip_and_counts_both_eyes_once():
    """Two clips whose eyes rest at different heights; 0.3 of both eyes is 0.3, of one eye 0.15."""
    coeffs = np.zeros((2, 10, 58))
    both = [INDEX["eyeLookUpLeft"], INDEX["eyeLookUpRight"]]
    coeffs[1][:, both] = 0.5
    coeffs[0, :2, both] += 0.3
    coeffs[1, :3, both[0]] += 0.3
    coeffs[1, 4:5, [INDEX["eyeLookOutLeft"], INDEX["eyeLookInRight"]]] = 0.15
    assert gaze_away_fraction(coeffs) == pytest.approx(2 / 20)
    assert gaze_away_fraction(coeffs, 0.1) == pytest.approx(6 / 20)


def test_lags_of_a_short_clip_end_with_it():
    """Five frames: a lag of more than three would leave nothing that can be correlated."""
    smile = np.zeros((5, 58))
    smile[:, [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = np.arange(5.0)[:, None] ** 2
    assert smile_mirroring(smile, smile).lag == 0.0


def test_voice_activity_finds_a_tone_in_noise():
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.001, 3 * 16000)
    sound[16000:32000] += 0.3 * np.sin(np.arange(16000) * 0.1)
    active = voice_activity(sound, 16000)
    np.testing.assert_array_equal(active, (np.arange(75) >= 25) & (np.arange(75) < 50))
    assert not voice_activity(np.zeros(16000), 16000).any()
    assert voice_activity(np.zeros(10), 16000).shape == (0,)
    assert voice_activity(np.zeros((RATE * 3004 // 100, 2)), RATE).shape == (FRAMES,)


@pytest.mark.wrong_arguments
def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="speech activity"):
        nod_rate_after_pauses(np.zeros((9, 58)), np.zeros(8, bool), np.random.default_rng(0))
    with pytest.raises(UserError, match="expected"):
        blink_rate(np.zeros((9, 25)))
