"""Pictures with their times, upright, at a steady rate."""

import re

import numpy as np
import pytest
import soundfile

from jaxreact.errors import UserError
from jaxreact.media.video_reader import count_pictures, read_video, steady
from tests.clips import CARPHONE, decode, write_clip


def _numbered(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Grey pictures whose brightness tells their number."""
    return [np.full((height, width, 3), 10 * i, np.uint8) for i in range(count)]


def _numbers(frames) -> list[int]:
    return [round(frame.mean() / 10) for frame in frames]


def test_times_are_those_of_the_recording(tmp_path):
    times = [0.0, 0.04, 0.31, 0.32, 0.9]
    clip = write_clip(tmp_path / "webcam.mkv", _numbered(5), times)
    assert [p.time for p in read_video(clip)] == pytest.approx(times, abs=1e-3)
    assert _numbers(p.rgb for p in read_video(clip)) == [0, 1, 2, 3, 4]


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


def test_a_damaged_end_is_not_an_endless_wait(tmp_path):
    frames, times = decode(CARPHONE)
    whole = write_clip(tmp_path / "whole.mkv", frames[:30], times[:30])
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UserError, match=r"cut\.mkv: .* ends after 0\.\d+ of 1\.00 s") as caught:
        list(read_video(cut))
    advised = float(re.findall(r"its first ([\d.]+) s", str(caught.value))[0])
    assert 0 < len(list(read_video(cut, advised))) < 30


def test_broken_files_are_one_clear_line(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    soundfile.write(tmp_path / "sound.wav", np.zeros(100), 8000)
    cases = {
        "missing.mp4": "no such file",
        "text.mp4": "cannot be read",
        "empty.mp4": "is empty",
        "sound.wav": "no pictures",
    }
    for name, words in cases.items():
        with pytest.raises(UserError, match=words) as caught:
            list(read_video(tmp_path / name))
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
