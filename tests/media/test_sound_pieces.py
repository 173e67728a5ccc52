"""Sound a little at a time is the sound that is read at once."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.media.resampling import resampled
from jaxreact.media.sound import read_audio, read_native_audio, resample
from jaxreact.media.sound_pieces import SoundInPieces, in_lengths
from jaxreact.media.sound_track import SoundTrack
from tests.clips import BUNNY, CARPHONE
from tests.media.test_decoding import _film
from tests.media.test_sound import write_container

RATE = 48000
LEVELS = [20] * 100


def _tone(seconds: float = 4.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.4 * np.sin(2 * np.pi * 300 * time * (1 + time / 20))).astype(np.float32)


FILMS = {
    "plain": lambda time: time,
    "begins late": lambda time: time + 0.3 * (time > 0) + 0.001,
    "a hole": lambda time: time + 1.5 * (time >= 2),
    "overlaps": lambda time: time - 0.4 * min(max(time - 2, 0), 1),
    "a slow clock": lambda time: 1.03 * time,
    "a fast clock, then a hole": lambda time: 0.97 * time + 0.7 * (time >= 3),
}


@pytest.fixture(params=FILMS.values(), ids=list(FILMS))
def film(tmp_path, request) -> Path:
    return _film(tmp_path / "film.mkv", LEVELS, _tone(), shift=request.param)


def _whole(parts) -> np.ndarray:
    return np.concatenate(list(parts))


@pytest.mark.filterwarnings("ignore::jaxreact.errors.Remark")
@pytest.mark.parametrize("duration", [None, 1.9, 3.37])
def test_pieces_are_the_whole(film, duration):
    sound = SoundInPieces(film, duration)
    waveform, rate = read_native_audio(film, duration=duration)
    assert sound.rate == rate
    assert sound.seconds == pytest.approx(len(waveform) / rate, abs=2e-4)
    for _ in range(2):  # it can be read again
        np.testing.assert_array_equal(_whole(sound.native()), waveform)
    np.testing.assert_array_equal(_whole(sound.resampled()), read_audio(film, duration=duration))


def test_of_six_channels():
    sound = SoundInPieces(BUNNY)
    np.testing.assert_array_equal(_whole(sound.resampled()), read_audio(BUNNY))
    assert max(len(part) for part in sound.native()) <= sound.rate / 10


def test_channels_that_cancel_each_other(tmp_path):
    path = tmp_path / "balanced.mkv"
    write_container(path, np.stack([_tone(), -_tone()], axis=1), RATE, "pcm_s16le")
    with pytest.warns(Remark, match="channel 1 alone is used"):
        sound = SoundInPieces(path)
    with pytest.warns(Remark, match="channel 1 alone is used"):
        waveform = read_audio(path)
    np.testing.assert_array_equal(_whole(sound.resampled()), waveform)


def test_repairs_are_said(tmp_path):
    film = _film(tmp_path / "hole.mkv", LEVELS, _tone(), shift=FILMS["a hole"])
    sound = SoundInPieces(film)
    with pytest.warns(Remark, match=r"hole\.mkv: .* 1\.50 s without sound are silent"):
        _whole(sound.native())


def test_files_that_cannot_be_used(tmp_path, monkeypatch):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for path, said in (
        (tmp_path / "none.mp4", r"none\.mp4: no such file"),
        (empty, r"empty\.mp4: the file is empty"),
        (CARPHONE, "has no sound track"),
    ):
        with pytest.raises(UserError, match=said):
            SoundInPieces(path)
    sound = SoundInPieces(BUNNY)
    monkeypatch.setattr(SoundTrack, "pieces", lambda _: iter([np.full(9, np.nan, np.float32)]))
    with pytest.raises(NotFiniteError, match=r"bunny.*: contains samples that are not finite"):
        _whole(sound.resampled())


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("size", [7, 1024, 10**6])
def test_resampling_does_not_depend_on_the_parts(rate, size):
    """To the last bit; `resample` cuts and pads besides."""
    wave = _tone()[:40_000]
    made = _whole(resampled(in_lengths(iter([wave]), size), rate, 16000))
    expected = resample(wave, rate)
    np.testing.assert_array_equal(made[: len(expected)], expected[: len(made)])
    assert abs(len(made) - len(expected)) <= 1


@pytest.mark.parametrize("count", [1, 5, 99, 100, 1000])
def test_parts_of_one_length(count):
    parts = np.split(np.arange(100, dtype=np.float32), [0, 3, 3, 50, 51, 99])
    made = list(in_lengths(iter(parts), count))
    np.testing.assert_array_equal(np.concatenate(made), np.arange(100))
    assert {len(part) for part in made[:-1]} <= {count}
    assert 0 < len(made[-1]) <= count
