"""`python -m jaxreact.react` with videos that are too long to be answered as a whole."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.media.sound import read_native_audio
from jaxreact.react import command, lengths
from jaxreact.react.config import Config
from jaxreact.systems.online import Online
from jaxreact.tracking.no_opengl import drawing_modules_optional
from jaxreact.tracking.track import Track
from tests.clips import BUNNY, CARPHONE, decode, write_clip
from tests.streaming.systems import fiber, framewise

pytestmark = pytest.mark.wrong_arguments
CAUSAL = Online(causal=True)


@pytest.fixture
def mediapipe():
    with drawing_modules_optional():
        pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)


@pytest.fixture
def talking(tmp_path) -> Path:
    """The man in the car, with the sound of another clip."""
    waveform, rate = read_native_audio(BUNNY, duration=4.1)
    frames, times = decode(CARPHONE)
    return write_clip(tmp_path / "talking.mp4", frames, times, (waveform, rate))


def _made(out: Path) -> tuple[dict[str, np.ndarray], list[np.ndarray], np.ndarray]:
    """What a reaction's npz holds, and the pictures and the sound of its film."""
    with np.load(out / "reaction.npz") as npz:
        arrays = dict(npz)
    return arrays, decode(out / "reaction.mp4")[0], read_native_audio(out / "reaction.mp4")[0]


@pytest.mark.usefixtures("mediapipe")
@pytest.mark.parametrize("changes", [{}, {"samples": 2, "calibrate": True, "seconds": 3.0}])
def test_a_long_video_is_answered_as_a_short_one_with_causal(
    tmp_path, talking, monkeypatch, changes
):
    monkeypatch.setattr(command, "load", lambda *_: fiber())
    config = Config(talking, tmp_path / "long", tmp_path / "run", size=64, **changes)
    causal = dataclasses.replace(config, out=tmp_path / "causal", online=CAUSAL)
    command.run(causal)
    monkeypatch.setattr(lengths, "WHOLE", 2.0)
    with pytest.warns(Remark) as said:
        command.run(config)
    assert sum("answered as a stream" in str(each.message) for each in said) == 1
    arrays, pictures, sound = _made(config.out)
    expected, expected_pictures, expected_sound = _made(causal.out)
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(arrays[name], array, rtol=0, atol=1e-5, err_msg=name)
    frames = expected["coeffs"].shape[1]
    assert frames == len(pictures) == len(expected_pictures) == (72 if "seconds" in changes else 96)
    np.testing.assert_allclose(pictures, expected_pictures, atol=3)
    np.testing.assert_array_equal(sound, expected_sound)


def _track(frames: int, stopped: bool = False) -> Track:
    coeffs = np.random.default_rng(0).normal(1, 0.1, (frames, 58)).astype("f4")
    return Track(coeffs, np.ones(frames, bool), (), 25.0, frames, 0, (0.5, 0.5), stopped=stopped)


@pytest.fixture
def whole_way(tmp_path, talking, monkeypatch):
    """Runs the command with a face that need not be tracked, and a limit of two seconds; returns
    how much of the video was asked for."""
    asked: list[float] = []

    def tracked(*_, max_seconds: float, **__) -> Track:
        asked.append(max_seconds)
        frames = int(min(max_seconds, 4.0) * 25)
        return _track(frames, stopped=frames < 100)

    def run(system, **changes) -> float:
        monkeypatch.setattr(lengths, "WHOLE", 2.0)
        monkeypatch.setattr(lengths, "_HEADER", 0.0)
        monkeypatch.setattr(command, "load", lambda *_: system)
        monkeypatch.setattr(command, "track_video", tracked)
        config = Config(talking, tmp_path / "out", tmp_path / "run", size=64)
        command.run(dataclasses.replace(config, **changes))
        return asked.pop()

    return run


def test_what_is_tracked(whole_way, capsys):
    assert whole_way(framewise()) == float("inf")
    assert "generating 1 x 4.00 s" in capsys.readouterr().err
    assert whole_way(framewise(), seconds=3.0) == 3.0
    assert whole_way(framewise(), seconds=1.5) == 1.5


def test_nothing_is_said_where_causal_was_asked_for(whole_way, recwarn):
    whole_way(framewise(), online=CAUSAL)
    assert not [each for each in recwarn if "stream" in str(each.message)]


def test_a_short_video_is_answered_as_a_whole(whole_way, monkeypatch, recwarn):
    monkeypatch.setattr(command, "react_in_pieces", None)
    whole_way(framewise(), seconds=2.0)
    assert not [each for each in recwarn if "stream" in str(each.message)]


@pytest.mark.parametrize("header", [4.0, None])
def test_a_system_of_whole_clips_takes_no_long_video(tmp_path, whole_way, monkeypatch, header):
    """By the header, or where it does not say by what is tracked."""
    sees = dataclasses.replace(framewise(), needs=frozenset({"audio", "video"}), picture_side=8)
    monkeypatch.setattr(lengths, "length_by_header", lambda _: header)
    words = r"talking\.mp4: .*framewise answers whole clips, of at most 2 s: --seconds 2 takes"
    with pytest.raises(UserError, match=words):
        whole_way(sees)
    assert not (tmp_path / "out").exists()


def test_sound_that_ends_early_in_a_long_video(tmp_path, whole_way, monkeypatch):
    """No more is tracked than there is sound for, whatever the system."""
    frames, times = decode(CARPHONE)
    sound = (np.full(round(1.2 * 16000), 0.1, "f4"), 16000)
    video = write_clip(tmp_path / "early.mp4", frames, times, sound)
    monkeypatch.setattr(lengths, "length_by_header", None)
    with pytest.raises(UserError, match=r"early\.mp4: the sound ends 0\.\d s before the picture"):
        whole_way(framewise(), video=video)


PEAK = """
import json, re, sys
import numpy as np
from pathlib import Path
from jaxreact.commands import run_command
from jaxreact.react import command, lengths
from jaxreact.react.config import Config
from jaxreact.tracking.track import Track
from tests.streaming.systems import framewise
from tests.test_react_long import _track
video, out, frames = sys.argv[1:]
lengths.WHOLE = 60.0
command.load = lambda *_: framewise()
command.track_video = lambda *_, **__: _track(int(frames))
grey = np.full((16, 16, 3), 128, np.uint8)  # heads take their time, and no more memory
command.listener_face = lambda _: lambda coeffs: (grey for _ in coeffs)
run_command(lambda: command.run(Config(Path(video), Path(out), Path("run"), size=16)), keep=False)
# Not getrusage's, which begins with what the parent had.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps(int(peak[1]) / 1024))
"""


def _peak(video: Path, out: Path, seconds: float) -> float:
    """MiB at most of a process that answers a video; its face need not be tracked."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(video), str(out), str(round(seconds * 25))],
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "answered as a stream" in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no Linux")
def test_memory_does_not_grow_with_length(tmp_path):
    """Eight minutes take what two do, though six of sound alone, at 48 kHz, are 69 MB."""
    peaks = []
    for minutes in (2, 8):
        rng = np.random.default_rng(0)
        sound = rng.normal(0, 0.1, minutes * 60 * 48000).astype("f4")
        picture = np.full((32, 32, 3), 128, np.uint8)
        times = np.arange(minutes * 60 * 10) / 10
        video = write_clip(
            tmp_path / f"{minutes}.mp4", [picture] * len(times), times.tolist(), (sound, 48000)
        )
        peaks.append(_peak(video, tmp_path / f"out{minutes}", minutes * 60))
    assert peaks[1] - peaks[0] < 60, peaks
