"""Sound on its container's clock: jitter is left alone, holes, overlaps and drift are put right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.media.alignment import MOST_SILENCE, Block, on_the_clock, pieces_of

RATE = 8000
FILE = Path("a.mkv")


def _blocks(samples: np.ndarray, times, size: int = 160, rate: int = RATE) -> list[Block]:
    parts = [samples[k : k + size].astype(np.float32) for k in range(0, len(samples), size)]
    return [Block(t, len(x), rate, x) for t, x in zip(times, parts, strict=True)]


def _speech(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * 100 * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize("first", [0.0, 0.04])
def test_jitter_moves_no_sample(first, recwarn):
    """Also where the first stamp is as late as any."""
    wave, rng = _speech(4.0), np.random.default_rng(0)
    times = np.arange(200) * 0.02 + np.append(0.0, rng.uniform(-0.04, 0.04, 199) - first)
    aligned = on_the_clock(FILE, _blocks(wave, times), RATE, 0, None)
    np.testing.assert_array_equal(aligned, wave)
    assert not recwarn.list


@pytest.mark.parametrize("late", [0.01, 0.049, 0.3])
def test_the_first_stamp_is_taken_at_its_word(late, recwarn):
    wave = _speech(1.0)
    aligned = on_the_clock(FILE, _blocks(wave, late + np.arange(50) * 0.02), RATE, 0, None)
    first = round(late * RATE)
    assert not aligned[:first].any()
    np.testing.assert_array_equal(aligned[first:], wave)
    assert not recwarn.list


def test_what_lies_before_the_beginning_is_left_out():
    wave = _speech(1.0)
    aligned = on_the_clock(FILE, _blocks(wave, -0.03 + np.arange(50) * 0.02), RATE, 0, None)
    np.testing.assert_array_equal(aligned, wave[240:])


def test_holes_are_silent_and_overlaps_left_out():
    wave = _speech(3.0)
    times = np.arange(150) * 0.02 + np.repeat([0.0, 0.5, 0.3], 50)
    with pytest.warns(Remark, match=r"0\.50 s without sound are silent, 0\.20 s that overlap"):
        aligned = on_the_clock(FILE, _blocks(wave, times), RATE, 0, None)
    np.testing.assert_array_equal(aligned[:8000], wave[:8000])
    assert not aligned[8000:12000].any()
    np.testing.assert_array_equal(aligned[12000:20000], wave[8000:16000])
    np.testing.assert_array_equal(aligned[20000:], wave[17600:])


@pytest.mark.parametrize("share", [0.01, -0.01, 0.001])
def test_a_clock_that_drifts_is_put_right(share):
    """Beeps every ten seconds stay where they are, however fast the sound card counts."""
    seconds, rate = 150.0, RATE * (1 + share)
    time = np.arange(int(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * 400 * time) * (time % 10 < 0.1)
    blocks = _blocks(wave, np.arange(-(-len(wave) // 160)) * 160 / rate)
    with pytest.warns(Remark, match=rf"{abs(share):.1%} {'fast' if share > 0 else 'slow'}"):
        aligned = on_the_clock(FILE, blocks, RATE, 0, None)
    assert len(aligned) == pytest.approx(seconds * RATE, abs=200)
    beeps = np.flatnonzero(np.abs(aligned) > 0.2) / RATE
    assert np.abs(beeps - np.round(beeps / 10) * 10 - 0.05).max() < 0.06
    assert set(np.round(beeps / 10)) == set(range(15))


def test_a_drift_that_changes_is_followed():
    wave = _speech(100.0)
    drift = np.concatenate([np.zeros(2000), np.arange(3000) * 0.02 * 0.02])
    blocks = _blocks(wave, np.arange(5000) * 0.02 + drift)
    pieces = pieces_of(blocks)
    assert pieces[0].first == 0
    assert pieces[-1].last == 5000
    begins = np.arange(5000) * 0.02
    for piece in pieces:
        inside = slice(piece.first, piece.last)
        fitted = piece.time + (begins[inside] - begins[piece.first]) * (1 + piece.drift)
        assert np.abs(fitted - begins[inside] - drift[inside]).max() <= 0.051
    assert len(pieces) < 30


def test_blocks_without_stamps_follow_those_before():
    wave = _speech(1.0)
    times = [None, 0.12, *[None] * 48]
    np.testing.assert_array_equal(
        on_the_clock(FILE, _blocks(wave, times), RATE, 0, None)[800:], wave
    )
    np.testing.assert_array_equal(
        on_the_clock(FILE, _blocks(wave, [None] * 50), RATE, 0, None), wave
    )


def test_a_rate_that_changes_is_resampled_to_the_first():
    first, second = _speech(1.0), _speech(1.0, 16000)
    blocks = [
        *_blocks(first, np.arange(50) * 0.02),
        *_blocks(second, 1 + np.arange(50) * 0.02, 320, 16000),
    ]
    aligned = on_the_clock(FILE, blocks, RATE, 0, None)
    assert len(aligned) == 2 * RATE
    np.testing.assert_allclose(aligned[9000:15000], _speech(2.0)[9000:15000], atol=0.01)


def test_a_segment_needs_the_samples_of_its_time_only():
    wave = _speech(10.0)
    whole = _blocks(wave, np.arange(500) * 0.02)
    none = np.zeros(0, np.float32)
    part = [replace(block, samples=none) for block in whole[:200]] + whole[200:]
    aligned = on_the_clock(FILE, part, RATE, 40000, 48000)
    np.testing.assert_array_equal(aligned, wave[40000:48000])


def test_silence_without_end_is_not_made(recwarn):
    wave = _speech(1.0)
    times = np.arange(50) * 0.02 + np.repeat([0.0, MOST_SILENCE + 1], 25)
    with pytest.raises(UserError, match=r"a\.mkv: its sound has holes of more than 600 s"):
        on_the_clock(FILE, _blocks(wave, times), RATE, 0, None)
    bounded = on_the_clock(FILE, _blocks(wave, times), RATE, 0, 2 * RATE)
    assert len(bounded) == 2 * RATE
    assert not bounded[4000:].any()
