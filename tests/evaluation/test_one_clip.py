"""The reactions that are looked at are those that an evaluation makes."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.split import Split
from jaxreact.errors import UserError
from jaxreact.evaluation import one_clip
from jaxreact.evaluation.generate import Generation, predict
from jaxreact.evaluation.one_clip import SEED, react_to_clip
from jaxreact.predictions import read_predictions
from jaxreact.rendering.pictures.reactions import Recording
from jaxreact.systems.sampling import Sampling
from tests.checking import unchecked

pytestmark = pytest.mark.wrong_arguments  # pretended models


def test_as_in_an_evaluation(conversations, tmp_path, monkeypatch, system):
    monkeypatch.setattr(one_clip, "load", lambda run: system)
    split = Split(data := open_conversations(conversations), "train", data.dyads("train"))
    frames = split.common_frames(10**6, system.frame_multiple)
    wanted = Generation("train", frames, 3, SEED, Sampling())
    with unchecked():
        path = predict(system, data, split.dyads, wanted, tmp_path, split.emotions(frames))
        dyad = split.dyads[1]
        recording = Recording(dyad.speaker.name, conversations, "train")
        made = react_to_clip(Path("run"), recording, 3)
    expected = read_predictions(path)
    assert expected.coeffs is not None
    assert made.emotion is not None
    np.testing.assert_allclose(made.coeffs, expected.coeffs[1], atol=1e-6)
    np.testing.assert_allclose(made.emotion, expected.emotion[1], atol=1e-6)
    assert (made.clip, made.clips) == (dyad.speaker.name, split.clips)
    np.testing.assert_array_equal(made.listener.coeffs, data.coeffs(dyad.listener)[:frames])
    assert made.sound is not None


def test_what_lacks_is_said(conversations, monkeypatch, system):
    monkeypatch.setattr(one_clip, "load", lambda run: system)
    with pytest.raises(UserError, match=r"--run run: .*give --data"):
        react_to_clip(Path("run"), Recording(), 1)
    with pytest.raises(UserError, match="--clip nobody: not in"):
        react_to_clip(Path("run"), Recording("nobody", conversations), 1)
