"""Which face is taken from a file, and at which rate."""

import math
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.export.motion import motion_of, read_motion
from jaxreact.face import INDEX, ROLL
from jaxreact.predictions import Predictions, write_predictions
from tests.export.faces import rest

CLIPS = ("NoXI/a/Expert_video/1", "NoXI/b/Expert_video/1")


@pytest.fixture
def predictions(tmp_path) -> Path:
    """Two clips with three samples each; jawOpen says which: 0.1 for each clip, 0.01 a sample."""
    coeffs = np.tile(rest(4), (2, 3, 1, 1))
    coeffs[..., INDEX["jawOpen"]] = np.array([[0.0, 0.01, 0.02], [0.1, 0.11, 0.12]])[..., None]
    path = tmp_path / "predictions.npz"
    emotion = np.zeros((2, 3, 4, 25), np.float32)
    write_predictions(path, Predictions(emotion, coeffs, clips=CLIPS))
    return path


@pytest.fixture
def reaction(tmp_path) -> Path:
    path = tmp_path / "reaction.npz"
    emotion = np.zeros((1, 4, 25), np.float32)
    np.savez_compressed(path, coeffs=rest(4)[None], emotion=emotion, speaker=rest(4), fps=25)
    return path


def jaw(path: Path, **choice) -> float:
    return read_motion(path, **choice).coeffs[0, INDEX["jawOpen"]]


def test_the_first_is_taken_and_said_where_there_are_several(predictions, capsys):
    assert jaw(predictions) == pytest.approx(0)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"{predictions}: 2 clips; the first is written (--clip)",
        f"{predictions}: 3 samples; the first is written (--sample)",
    ]


def test_clips_without_names_are_counted_too(tmp_path, capsys):
    path = tmp_path / "unnamed.npz"
    np.savez(path, coeffs=np.tile(rest(4), (2, 1, 1, 1)), emotion=np.zeros((2, 1, 4, 25), "f4"))
    assert read_motion(path).title == "clip 0, sample 0"
    assert capsys.readouterr().err == f"{path}: 2 clips; the first is written (--clip)\n"


@pytest.mark.parametrize("clip", ["1", CLIPS[1]])
def test_a_clip_is_named_or_numbered(predictions, clip, capsys):
    assert jaw(predictions, clip=clip, sample=2) == pytest.approx(0.12)
    assert read_motion(predictions, clip, 2).title == f"{CLIPS[1]}, sample 2"
    assert capsys.readouterr().err == ""


def test_a_single_reaction_needs_no_choice(reaction, capsys):
    motion = read_motion(reaction)
    assert (len(motion.coeffs), motion.fps) == (4, 25.0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"sample": 3}, "--sample 3: not in .*; its samples are 0 to 2"),
        ({"sample": -1}, "--sample -1: not in"),
        ({"clip": "c"}, "--clip c: not in .*; its clips are 0 to 1"),
        ({"fps": 0.5}, "--fps 0.5: choose 1 to 1000"),
        ({"fps": math.nan}, "--fps nan: choose"),
    ],
)
def test_wrong_choices_are_refused(predictions, choice, words):
    with pytest.raises(UserError, match=words):
        read_motion(predictions, **choice)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_motion(tmp_path / "none.npz")
    np.savez(tmp_path / "emotion.npz", emotion=np.zeros((1, 1, 4, 25), np.float32))
    with pytest.raises(UserError, match="holds no face coefficients"):
        read_motion(tmp_path / "emotion.npz")
    np.savez(tmp_path / "empty.npz", coeffs=rest(0)[None])
    with pytest.raises(UserError, match="frames"):
        read_motion(tmp_path / "empty.npz")


def test_a_value_that_is_not_finite_is_refused():
    coeffs = rest(3)
    coeffs[2, 7] = np.nan
    with pytest.raises(UserError, match="frame 2 holds a value that is not finite"):
        motion_of(coeffs)


def test_weights_are_those_that_arkit_has():
    coeffs = rest(1)
    coeffs[0, 3], coeffs[0, 4] = -0.2, 1.3
    np.testing.assert_array_equal(motion_of(coeffs).coeffs[0, 3:5], [0, 1])


def test_other_rates_are_linear_in_time_and_turn_the_shorter_way():
    coeffs = rest(26)  # a second
    coeffs[:, INDEX["jawOpen"]] = np.linspace(0, 1, 26)
    lean = np.linspace(math.pi - 0.5, math.pi + 0.5, 26)
    coeffs[:, ROLL] = (lean + math.pi) % (2 * math.pi) - math.pi  # jumps by 2 pi on the way
    motion = motion_of(coeffs, fps=60)
    assert len(motion.coeffs) == 61
    np.testing.assert_allclose(motion.times, np.arange(61) / 60)
    np.testing.assert_allclose(motion.coeffs[:, INDEX["jawOpen"]], np.linspace(0, 1, 61), atol=1e-6)
    np.testing.assert_allclose(np.diff(motion.coeffs[:, ROLL]), 1 / 60, atol=1e-5)
    slow = motion_of(coeffs[:25], fps=10)  # the last frame is at 0.96 s
    assert slow.times[-1] == pytest.approx(0.9)
