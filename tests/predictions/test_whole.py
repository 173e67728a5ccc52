"""Predictions of whole clips as a file: there and back, and what does not fit together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.predictions.npz import map_npz, write_npz
from jaxreact.predictions.whole import WholePredictions, holds_whole, read_whole, write_whole

LENGTHS = (5, 8)
RNG = np.random.default_rng(0)


def rows(length: int, channels: int, *samples: int) -> np.ndarray:
    return RNG.random((*samples, length, channels), np.float32)


def made() -> WholePredictions:
    return WholePredictions(
        [rows(length, 25, 2) for length in LENGTHS],
        [rows(length, 58, 2) for length in LENGTHS],
        [rows(length + 1, 25) for length in LENGTHS],
        [rows(length, 25) for length in LENGTHS],
        np.array([[True, True], [False, True]]),
        30.0,
        ("session0/speaker/a", "session0/speaker/b"),
    )


def test_there_and_back(tmp_path):
    path, given = tmp_path / "p.npz", made()
    write_whole(path, given)
    assert holds_whole(path)
    found = read_whole(path)
    assert (found.rate, found.clips) == (given.rate, given.clips)
    for name in ("emotion", "coeffs", "listener", "speaker"):
        for ours, theirs in zip(getattr(found, name), getattr(given, name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert [len(each) for each in found.targets] == [2, 1]
    np.testing.assert_array_equal(found.targets[0][0], given.listener[0])


def test_emotion_alone(tmp_path):
    write_whole(tmp_path / "p.npz", replace(made(), coeffs=None))
    assert read_whole(tmp_path / "p.npz").coeffs is None


def test_other_files_hold_none(tmp_path):
    np.savez(tmp_path / "p.npz", emotion=np.zeros((1, 1, 4, 25)))
    (tmp_path / "text.npz").write_text("no npz")
    assert not holds_whole(tmp_path / "p.npz")
    assert not holds_whole(tmp_path / "text.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speaker_1": None}, "speaker_1: missing"),
        ({"listener_0": np.zeros((4, 24))}, r"listener_0: shape \(4, 24\)"),
        ({"emotion_1": np.zeros((3, 8, 25))}, "emotion_1 of shape"),
        ({"coeffs_0": np.zeros((2, 6, 58))}, "emotion_0 of shape"),
        ({"neighbours": np.ones((3, 3))}, "neighbours and rate do not fit 2 clips"),
        ({"rate": np.array(0.0)}, "rate 0; evaluate again"),
        ({"clips": None}, "holds no clips"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, changes, message):
    path: Path = tmp_path / "p.npz"
    write_whole(path, made())
    arrays = {**map_npz(path), **changes}
    write_npz(
        tmp_path / "q.npz", {name: np.asarray(a) for name, a in arrays.items() if a is not None}
    )
    with pytest.raises(UserError, match=message) as error:
        read_whole(tmp_path / "q.npz")
    assert str(error.value).startswith(str(tmp_path / "q.npz"))
