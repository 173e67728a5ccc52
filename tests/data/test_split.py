"""The one view of a split: names, lengths, truth and neighbours, in one order."""

from collections import Counter

import numpy as np
import pytest

from jaxreact.data.layout import COEFFS, EMOTION
from jaxreact.data.react2024.data_set import React2024
from jaxreact.data.split import open_split
from jaxreact.errors import UserError
from tests.data.react2024_files import NOXI, RECOLA, TinyDataSet, write_tiny

MATRIX = np.eye(4) + np.eye(4)[::-1]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> TinyDataSet:
    data = write_tiny(tmp_path_factory.mktemp("tiny"))
    np.save(data.root / "neighbour_emotion_train.npy", MATRIX)
    return data


def test_clips_and_conversations_are_in_the_order_of_the_dyads(data):
    split = open_split(data.root, "train")
    assert split.clips == (NOXI[0], RECOLA[0], NOXI[1], RECOLA[1])
    assert split.conversations == ["NoXI/010_2016-03-25_Paris", "RECOLA/group-2"] * 2


def test_frames_that_all_clips_have(data):
    split = open_split(data.root, "train")
    assert split.common_frames(736, 32) == 32
    assert split.common_frames(736) == 60
    assert split.common_frames(17, 4) == 16
    with pytest.raises(UserError, match=r"train have no common stretch of 64 frames; .*has 60"):
        split.common_frames(736, 64)
    assert open_split(data.root, "train", (COEFFS,)).common_frames(736) == 61


def test_truth_is_read_once_a_clip(data, monkeypatch):
    read = Counter()
    emotion = React2024.emotion

    def counted(self, clip):
        read[clip.name] += 1
        return emotion(self, clip)

    monkeypatch.setattr(React2024, "emotion", counted)
    split = open_split(data.root, "train", (EMOTION,))
    assert not read
    listener, speaker = split.emotions(20)
    assert read == dict.fromkeys(data.names, 1)
    for shown, people in ((listener, [*NOXI[1:], *RECOLA[1:]]), (speaker, split.clips[:2])):
        expected = [data.emotion(name)[:20] for name in people]
        np.testing.assert_allclose(shown[:2], expected, atol=1e-6)
    np.testing.assert_array_equal(listener[2:], speaker[:2])
    assert listener.dtype == speaker.dtype == np.float32


def test_neighbours_are_read_once(data, monkeypatch):
    split = open_split(data.root, "train", (COEFFS,))
    np.testing.assert_array_equal(split.neighbours(), MATRIX)
    monkeypatch.setattr(React2024, "neighbours", None)
    assert split.neighbours() is split.neighbours()


def test_raw_faces_of_both_sides(data):
    faces = open_split(data.root, "train", (COEFFS,)).coeffs(3, 20)
    assert list(faces) == ["speaker", "listener"]
    for face, name in zip(faces.values(), RECOLA[::-1], strict=True):
        np.testing.assert_array_equal(face, data.coeffs(name)[:20])
