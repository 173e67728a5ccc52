"""Pictures with their times, upright, at a steady rate."""

import struct

import numpy as np
import pytest
import soundfile

from jaxreact.errors import UserError
from jaxreact.media.video_reader import count_pictures, pictures, steady
from tests.clips import CARPHONE, decode, write_clip


def _numbered(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Grey pictures whose brightness tells their number."""
    return [np.full((height, width, 3), 10 * i, np.uint8) for i in range(count)]


def _numbers(frames) -> list[int]:
    return [round(frame.mean() / 10) for frame in frames]


def test_times_are_those_of_the_recording(tmp_path):
    times = [0.0, 0.04, 0.31, 0.32, 0.9]
    clip = write_clip(tmp_path / "webcam.mkv", _numbered(5), times)
    assert [p.time for p in pictures(clip)] == pytest.approx(times, abs=1e-3)
    assert _numbers(p.rgb for p in pictures(clip)) == [0, 1, 2, 3, 4]


def test_pictures_are_counted_from_the_header():
    assert count_pictures(CARPHONE) == 120


@pytest.mark.parametrize(
    ("fps", "expected"),
    [(25, [0, 0, 1, 2, 3, 3, 3, 4, 4, 4, 4, 4]), (10, [0, 1, 3, 4, 4])],
)
def test_frames_come_at_a_steady_rate(tmp_path, fps, expected):
    times = [0.0, 0.10, 0.11, 0.20, 0.36]
    clip = write_clip(tmp_path / "webcam.mkv", _numbered(5), times)
    assert _numbers(steady(clip, len(expected), fps)) == expected


def test_fewer_frames_than_pictures():
    assert len(list(steady(CARPHONE, 7))) == 7


def _turn_header(path, matrix: tuple[int, ...]) -> None:
    """Overwrites the display matrix in an mp4's track header, as a phone held sideways does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes precede the matrix
    one = 0x10000
    assert struct.unpack_from(">9i", data, at) == (one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, at, *matrix)
    path.write_bytes(data)


def test_a_phone_held_sideways_is_turned_upright(tmp_path):
    upright = np.zeros((64, 48, 3), np.uint8)
    upright[:32, :24] = 250  # a bright upper left quarter
    clip = write_clip(tmp_path / "phone.mp4", [np.rot90(upright)] * 3, [0.0, 0.04, 0.08])
    one = 0x10000
    _turn_header(clip, (0, one, 0, -one, 0, 0, 48 * one, 0, 1 << 30))  # a quarter clockwise
    seen = next(pictures(clip)).rgb
    assert seen.shape == upright.shape
    assert abs(seen.astype(int) - upright).mean() < 8


def test_a_damaged_end_is_not_an_endless_wait(tmp_path):
    frames, times = decode(CARPHONE)
    whole = write_clip(tmp_path / "whole.mkv", frames[:30], times[:30])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 0 < len(list(pictures(cut))) < 30


def test_broken_files_are_one_clear_line(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    soundfile.write(tmp_path / "sound.wav", np.zeros(100), 8000)
    cases = {
        "missing.mp4": "no such file",
        "text.mp4": "cannot be read",
        "empty.mp4": "cannot be read",
        "sound.wav": "no pictures",
    }
    for name, words in cases.items():
        with pytest.raises(UserError, match=words) as caught:
            list(pictures(tmp_path / name))
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
