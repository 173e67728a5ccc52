"""`python -m jaxreact.react` with videos that are too long to be answered as a whole."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.media.sound import read_native_audio
from jaxreact.media.video_writer import write_video
from jaxreact.react import command, film, lengths
from jaxreact.react.config import Config
from jaxreact.rendering.compose import Frames
from jaxreact.systems.online import Online
from jaxreact.systems.system import Reactions
from jaxreact.tracking import track
from jaxreact.tracking.box import Box
from jaxreact.tracking.landmarker import Detection
from jaxreact.tracking.track import Track
from jaxreact.tracking.watch import Seen
from tests.clips import CARPHONE, decode, write_clip
from tests.streaming.systems import fiber, framewise

pytestmark = pytest.mark.wrong_arguments
CAUSAL = Online(causal=True)


@pytest.fixture
def drawn(monkeypatch) -> list[np.ndarray]:
    """The pictures of films before they are encoded, which makes more of the least difference.
    Listeners are pictures of their coefficients."""
    films: list[np.ndarray] = []

    def face(coeffs: np.ndarray) -> Iterator[np.ndarray]:
        for row in coeffs:
            grey = np.resize(np.clip(100 * row + 100, 0, 255), (64, 64, 1))
            yield np.tile(grey.astype(np.uint8), 3)

    def write(path: Path, pictures: Frames, *rest: Any) -> int:
        films.append(np.stack(list(pictures)))
        return write_video(path, films[-1], *rest)

    monkeypatch.setattr(command, "listener_face", lambda _: face)
    monkeypatch.setattr(film, "write_video", write)
    return films


def _made(out: Path) -> dict[str, np.ndarray]:
    """What a reaction's npz holds."""
    with np.load(out / "reaction.npz") as npz:
        return dict(npz)


@pytest.mark.usefixtures("mediapipe")
@pytest.mark.parametrize(
    ("system", "changes"),
    [(fiber, {}), (framewise, {"samples": 2, "calibrate": True, "seconds": 3.0})],
)
def test_a_long_video_is_answered_as_a_short_one_with_causal(
    tmp_path, talking, monkeypatch, drawn, system, changes
):
    monkeypatch.setattr(command, "load", lambda *_: system())
    config = Config(talking, tmp_path / "long", tmp_path / "run", size=64, **changes)
    causal = dataclasses.replace(config, out=tmp_path / "causal", online=CAUSAL)
    command.run(causal)
    monkeypatch.setattr(lengths, "WHOLE", 2.0)
    with pytest.warns(Remark) as said:
        command.run(config)
    assert sum("answered as a stream" in str(each.message) for each in said) == 1
    expected, arrays = (_made(each.out) for each in (causal, config))
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(arrays[name], array, rtol=0, atol=1e-5, err_msg=name)
    frames = 75 if changes else 96
    assert expected["coeffs"].shape == (config.samples, frames, 58)
    expected_pictures, pictures = drawn
    assert pictures.shape == expected_pictures.shape == (frames, 64, 64 * (1 + config.samples), 3)
    np.testing.assert_allclose(pictures.astype(int), expected_pictures, rtol=0, atol=1)
    films = [each.out / "reaction.mp4" for each in (causal, config)]
    assert [len(decode(path)[0]) for path in films] == [frames, frames]
    expected_sound, sound = (read_native_audio(path)[0] for path in films)
    np.testing.assert_array_equal(sound, expected_sound)


def _track(frames: int, stopped: bool = False) -> Track:
    coeffs = np.random.default_rng(0).normal(1, 0.1, (frames, 58)).astype("f4")
    return Track(coeffs, np.ones(frames, bool), (), 25.0, frames, 0, (0.5, 0.5), stopped=stopped)


@pytest.fixture
def whole_way(tmp_path, talking, monkeypatch):
    """Runs the command with a face that need not be tracked, answers that need not be made, and a
    limit of two seconds; returns how much of the video was asked for, and how it was answered."""
    noted: list = []

    def tracked(*_, max_seconds: float, **__) -> Track:
        noted.append(max_seconds)
        frames = int(min(max_seconds, 4.0) * 25)
        return _track(frames, stopped=frames < 100)

    def answered(*_) -> Reactions:
        noted.append("whole")
        return Reactions(jnp.zeros((1, 1, 1, 58)), jnp.zeros((1, 1, 1, 25)))

    def streamed(*_) -> tuple[np.ndarray, np.ndarray]:
        noted.append("stream")
        return np.zeros((1, 1, 58), "f4"), np.zeros((1, 1, 25), "f4")

    def run(system, **changes) -> tuple[float, str]:
        monkeypatch.setattr(lengths, "WHOLE", 2.0)
        monkeypatch.setattr(lengths, "_HEADER", 0.0)
        monkeypatch.setattr(command, "load", lambda *_: system)
        monkeypatch.setattr(command, "track_video", tracked)
        monkeypatch.setattr(command, "react", answered)
        monkeypatch.setattr(command, "react_in_pieces", streamed)
        monkeypatch.setattr(command, "draw", lambda *_: None)
        config = Config(talking, tmp_path / "out", tmp_path / "run", size=64)
        noted.clear()
        command.run(dataclasses.replace(config, **changes))
        asked, way = noted
        return asked, way

    return run


def test_what_is_tracked(whole_way, capsys):
    assert whole_way(framewise()) == (float("inf"), "stream")
    assert "generating 1 x 4.00 s" in capsys.readouterr().err
    assert whole_way(framewise(), seconds=3.0) == (3.0, "stream")
    assert whole_way(framewise(), seconds=1.5) == (1.5, "whole")


def test_nothing_is_said_where_causal_was_asked_for(whole_way, recwarn):
    assert whole_way(framewise(), online=CAUSAL)[1] == "stream"
    assert not [each for each in recwarn if "stream" in str(each.message)]


def test_a_short_video_is_answered_as_a_whole(whole_way, recwarn):
    assert whole_way(framewise(), seconds=2.0) == (2.0, "whole")
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


def _hanging(*_) -> Seen:
    """Somebody who hangs upside down, 25 pictures a second for four seconds, and is not seen from
    1.5 to 2.9 s: turned by 3.0 rad before, and a little farther afterwards, which is -3.0 rad."""
    seen = Seen(end=4.0, size=(176, 144), whole=(176, 144))
    for number in range(100):
        if 38 <= number < 73:
            seen.lost.append(number / 25)
            continue
        angle = 3.0 if number < 38 else -3.0
        pose = np.eye(4)
        pose[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        pose[2, 3] = -40  # cm before the camera
        seen.times.append(number / 25)
        seen.faces.append(Detection(np.full(52, number / 100), pose, Box(88, 72, 60)))
    return seen


def test_a_held_face_goes_on_by_the_shorter_way(tmp_path, talking, monkeypatch):
    monkeypatch.setattr(track, "watch", _hanging)
    monkeypatch.setattr(track, "open_face_detector", nullcontext)
    monkeypatch.setattr(command, "load", lambda *_: framewise())
    monkeypatch.setattr(command, "draw", lambda *_: None)
    config = Config(talking, tmp_path / "out", tmp_path / "run", on_gap="hold", turn=0)
    made = []
    for changes, longest in (({"online": CAUSAL}, 600.0), ({}, 2.0)):
        monkeypatch.setattr(lengths, "WHOLE", longest)
        with pytest.warns(Remark, match="the last one is held there"):
            command.run(dataclasses.replace(config, **changes))
        made.append(_made(config.out))
    causal, streamed = made
    for name in ("coeffs", "emotion", "speaker", "tracked"):
        np.testing.assert_allclose(streamed[name], causal[name], rtol=0, atol=1e-5, err_msg=name)
    held = np.arange(100)[~streamed["tracked"]]
    assert held.tolist() == list(range(38, 73))
    roll = np.where(np.arange(100) < 73, 3.0, 2 * np.pi - 3.0)
    np.testing.assert_allclose(streamed["speaker"][:, 54], roll, atol=1e-5)
    np.testing.assert_allclose(streamed["speaker"][held, :52], 0.37, atol=1e-6)


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
