"""What predictions are scored against, from files or from a data set."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.split import Split
from jaxreact.errors import Remark, UserError
from jaxreact.metrics.truth import (
    TruthFiles,
    _of_split,
    find_truth,
    number_of_clips,
    read_array,
)
from jaxreact.predictions import Predictions

NAMES = ("listener", "speaker", "neighbours")


def test_the_only_array_of_a_file_may_have_any_name(tmp_path):
    path, array = tmp_path / "one.npz", np.arange(3.0)
    np.savez(path, anything=array)
    np.testing.assert_array_equal(read_array(path, "listener"), array)
    np.savez(path, speaker=array, listener=array + 1)
    np.testing.assert_array_equal(read_array(path, "listener"), array + 1)
    for names in ((), ("a", "b")):
        held: Any = dict.fromkeys(names, array)
        np.savez(path, **held)
        with pytest.raises(UserError, match=r"one\.npz: holds .*but no array listener"):
            read_array(path, "listener")


@pytest.mark.wrong_arguments
def test_predictions_may_be_as_long_as_the_shortest_clip_and_no_longer(conversations):
    source = open_conversations(conversations)
    split = Split(source, "train", source.dyads("train"))
    clips, frames = len(split.dyads), split.shortest.frames

    def predictions(frames: int) -> Any:
        return SimpleNamespace(
            emotion=np.zeros((clips, 1, frames, 25)), clips=None, listener=None, speaker=None
        )

    assert _of_split(split, Path("x.npz"), predictions(frames)).listener.shape[1] == frames
    with pytest.raises(UserError, match=rf"x\.npz: {frames + 1} frames, but .* has {frames}"):
        _of_split(split, Path("x.npz"), predictions(frames + 1))


def test_truth_that_makes_no_sense_is_said(tmp_path):
    emotion = np.random.default_rng(0).random((2, 8, 25), np.float32)
    for name, array in {
        "listener": 100 * emotion,
        "speaker": emotion,
        "neighbours": np.full((2, 2), 0.5),
    }.items():
        np.save(tmp_path / f"{name}.npy", array)
    files = TruthFiles(**{path.stem: path for path in (tmp_path / f"{name}.npy" for name in NAMES)})
    with pytest.warns(Remark) as said:
        find_truth(files, None, Path("p.npz"), Predictions(emotion[:, None]))
    first, second = sorted(str(each.message) for each in said)
    assert first.startswith(f"{tmp_path / 'listener.npy'}: emotion up to 99.7")
    assert second.startswith(f"{tmp_path / 'neighbours.npy'}: holds other values than 0 and 1")


@pytest.mark.parametrize("shape", [(), (3,), (2, 25), (2, 1, 8, 25)])
def test_truth_of_another_shape(tmp_path, shape):
    np.save(tmp_path / "listener.npy", np.zeros(shape))
    np.save(tmp_path / "neighbours.npy", np.eye(2))
    files = TruthFiles(listener=tmp_path / "listener.npy", neighbours=tmp_path / "neighbours.npy")
    predictions = Predictions(np.zeros((2, 1, 8, 25), np.float32))
    number_of_clips(files)
    with pytest.raises(UserError, match=r"listener\.npy: shape .*; expected \(clips, frames, 25\)"):
        find_truth(files, None, Path("p.npz"), predictions)
