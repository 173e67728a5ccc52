"""Predictions of whole clips, as pictures and exports see them."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.errors import UserError
from jaxreact.export.motion import read_motion
from jaxreact.predictions.whole import WholePredictions, write_whole
from jaxreact.rendering.pictures.reactions import Recording, read_reactions
from tests.data.mars_files import MarsFiles, small

NAMES = ("session2/speaker/bb", "session2/speaker/ccc", "session10/speaker/a")
LENGTHS = (120, 60, 90)


def faces(samples: int, frames: int) -> np.ndarray:
    """The jaw says which sample it is, the left brow goes up evenly."""
    coeffs = np.zeros((samples, frames, 58), np.float32)
    coeffs[..., 24] = np.arange(samples)[:, None] / 10
    coeffs[..., 0] = np.arange(frames) / 200
    coeffs[..., 52], coeffs[..., 57] = np.pi, 1.84
    return coeffs


def write(path: Path, coeffs: bool = True) -> Path:
    emotion = [np.zeros((2, length, 25), np.float32) for length in LENGTHS]
    rows = [np.full((length, 25), 0.5, np.float32) for length in LENGTHS]
    drawn = [faces(2, length) for length in LENGTHS] if coeffs else None
    suits = np.eye(3) > 0
    write_whole(path, WholePredictions(emotion, drawn, rows, rows, suits, 30.0, NAMES))
    return path


@pytest.fixture
def files(tmp_path) -> MarsFiles:
    return small(tmp_path / "mars")


def test_pictures_have_25_frames_a_second_and_the_recorded_persons(files, tmp_path):
    path = write(tmp_path / "predictions.npz")
    recording = Recording("session2/speaker/ccc", files.root, "train")
    found = read_reactions(path, recording)
    assert (found.clip, found.clips, found.frames) == (NAMES[1], NAMES, 50)
    np.testing.assert_allclose(found.coeffs[1, :, 0], np.arange(50) * 1.2 / 200, atol=1e-6)
    assert found.emotion is not None
    assert found.emotion.shape == (2, 50, 25)
    data = open_conversations(files.root)
    speaker = data.dyads("train")[1].speaker
    assert found.speaker.coeffs is not None
    np.testing.assert_array_equal(found.speaker.coeffs, data.coeffs(speaker))
    assert found.sound is not None


def test_exports_have_the_files_own_rate(tmp_path):
    path = write(tmp_path / "predictions.npz")
    motion = read_motion(path, clip="2", sample=1)
    assert (motion.fps, len(motion.coeffs)) == (30.0, 90)
    np.testing.assert_allclose(motion.coeffs, faces(2, 90)[1], atol=1e-6)
    slower = read_motion(path, clip="2", sample=1, fps=25)
    assert (slower.fps, len(slower.coeffs)) == (25.0, 75)


def test_what_cannot_be_drawn_is_said(files, tmp_path):
    path = write(tmp_path / "predictions.npz")
    with pytest.raises(UserError, match=r"--clip x: not in .*predictions\.npz; its clips are 0 to"):
        read_reactions(path, Recording("x"))
    with pytest.raises(UserError, match="its clips are not those of val"):
        read_reactions(path, Recording("0", files.root, "val"))
    with pytest.raises(UserError, match="holds no face coefficients"):
        read_reactions(write(tmp_path / "alone.npz", coeffs=False), Recording("0"))
