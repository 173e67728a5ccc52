"""What predictions are scored against, from files or from a data set."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.split import Split
from jaxreact.errors import UserError
from jaxreact.metrics.truth import _of_split, read_array


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
