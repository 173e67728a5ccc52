"""`python -m jaxreact.react --arkit`: a speaker recorded by a phone's face tracking."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jaxreact.errors import Remark, UserError
from jaxreact.export.arkit_csv import csv_text
from jaxreact.face import INDEX
from jaxreact.media.video_reader import read_video
from jaxreact.react import command as react
from jaxreact.react.config import Config
from jaxreact.rendering import render
from tests.rendering.files import moving
from tests.stand_in_system import MEAN, stand_in_system
from tests.test_react_needs import Noted

pytestmark = pytest.mark.wrong_arguments

FRAMES = 40


@pytest.fixture
def face() -> np.ndarray:
    """What the speaker does, 25 frames a second; the place is that of the middle."""
    coeffs = moving(FRAMES)
    coeffs[:, INDEX["jawOpen"]] = np.linspace(0.1, 0.5, FRAMES)
    coeffs[:, 52:55] = np.linspace((3.1, -0.2, 0.1), (3.3, 0.3, -0.1), FRAMES)
    coeffs[:, 55:] = 0, 0, 1.84
    return coeffs


@pytest.fixture
def config(tmp_path, face, monkeypatch) -> Config:
    """The speaker at 60 lines a second, with a sound."""
    monkeypatch.setattr(react, "load", lambda *_: stand_in_system())
    given, times = np.arange(FRAMES) / 25, np.arange(int(FRAMES * 2.4)) / 60
    rows = np.stack([np.interp(times, given, column) for column in face.T], axis=1)
    (tmp_path / "take.csv").write_text(csv_text(times, rows))
    sound = 0.1 * np.sin(np.arange(FRAMES * 640) / 5)
    soundfile.write(tmp_path / "take.wav", sound, 16000)
    arkit, audio = tmp_path / "take.csv", tmp_path / "take.wav"
    return Config(None, tmp_path / "out", tmp_path / "run", arkit=arkit, audio=audio, size=64)


def test_from_a_recording_to_a_reaction(config, face):
    react.run(config)
    with np.load(config.out / "reaction.npz") as made:
        speaker, listener, tracked = made["speaker"], made["coeffs"], made["tracked"]
    assert (listener.shape, tracked.all()) == ((1, 32, 58), True)
    jaw = INDEX["jawOpen"]
    np.testing.assert_allclose(speaker[:, jaw], face[:32, jaw], atol=1e-4)
    np.testing.assert_allclose(speaker[:, 52:55], face[:32, 52:55], atol=1e-4)
    np.testing.assert_allclose(listener[0, :, jaw], face[:32, jaw], atol=0.006)
    first = next(iter(read_video(config.out / "reaction.mp4"))).rgb
    assert first.shape == (64, 128, 3)
    expected = render(speaker[:1], size=64)[0].astype(float)  # a head stands for the speaker
    left = first[:48, :64].astype(float)  # above the label
    assert np.abs(left - expected[:48]).mean() < 12


def test_it_is_calibrated_as_a_video_is(config):
    react.run(dataclasses.replace(config, calibrate=True))
    with np.load(config.out / "reaction.npz") as made:
        jaws = made["coeffs"][0, :, INDEX["jawOpen"]]
    assert jaws.mean() == pytest.approx(MEAN[INDEX["jawOpen"]], abs=0.006)


def test_only_the_beginning(config):
    with pytest.warns(Remark, match=r"take\.csv: the first 1\.3 s of 1\.6 s are used"):
        react.run(dataclasses.replace(config, seconds=1.28))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arkit": None, "audio": None}, "give a video, or --arkit FILE.csv with --audio FILE"),
        ({"video": Path("a.mp4")}, "give a video, or --arkit FILE.csv with --audio FILE"),
        ({"audio": None}, "--arkit and --audio belong together"),
        ({"arkit": None, "video": Path("a.mp4")}, "--arkit and --audio belong together"),
        ({"turn": 90}, "--turn and --model are for a video; leave them out with --arkit"),
        ({"audio": Path("none.wav")}, "none.wav: no such file"),
        ({"arkit": Path("none.csv")}, "none.csv: no such file"),
    ],
)
def test_what_does_not_go_together_is_refused(config, change, words):
    with pytest.raises(UserError, match=words):
        react.run(dataclasses.replace(config, **change))
    assert not config.out.exists()


def test_a_file_without_sound_is_refused(config):
    with pytest.raises(UserError, match=r"take\.csv"):
        react.run(dataclasses.replace(config, audio=config.arkit))


def test_sound_that_ends_early_is_refused(config):
    soundfile.write(config.audio, 0.1 * np.sin(np.arange(16000) / 5), 16000)
    with pytest.raises(UserError, match=r"\w+\.wav: the sound ends 0\.6 s before \S+take\.csv"):
        react.run(config)


def test_a_system_that_needs_pictures_is_refused(config, monkeypatch):
    system = Noted(frozenset({"video"}), picture_side=32)
    monkeypatch.setattr(react, "load", lambda *_: system)
    with pytest.raises(UserError, match="noted needs pictures of the speaker; give a video"):
        react.run(config)


def test_a_recording_has_no_header_to_ask_for_its_length(config, monkeypatch):
    """Of a system that answers whole clips only; no film is opened."""
    monkeypatch.setattr(react, "seconds_at_once", lambda _: 10.0)
    monkeypatch.setattr("jaxreact.react.lengths.WHOLE", 1.0)
    monkeypatch.setattr("jaxreact.react.lengths.can_stream", lambda _: False)
    monkeypatch.setattr(react, "load", lambda *_: Noted(frozenset({"coeffs", "audio"})))
    with pytest.raises(UserError, match=r"take\.csv: too long; noted answers whole clips"):
        react.run(config)
