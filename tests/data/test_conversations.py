"""What a data set says of itself, wherever it lies."""

import pickle
import shutil

import numpy as np
import pytest

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.errors import UserError
from jaxreact.media.sound import read_native_audio
from tests.data.react2024_files import MEAN_FACE, NOXI, TinyDataSet, write_tiny


@pytest.fixture
def data(tmp_path) -> TinyDataSet:
    return write_tiny(tmp_path / "data")


def test_a_root_has_the_whole_interface_and_can_be_pickled(data):
    np.save(data.root / "neighbour_emotion_train.npy", np.eye(4))
    source = pickle.loads(pickle.dumps(open_conversations(data.root)))
    assert isinstance(source, Conversations)
    assert source.path == data.root
    speaker = source.dyads("train")[0].speaker
    np.testing.assert_array_equal(source.coeffs(speaker), data.coeffs(NOXI[0], 60))
    np.testing.assert_allclose(source.emotion(speaker), data.emotion(NOXI[0]), atol=1e-6)
    assert source.waveform(speaker, 10, 20).shape == (20 * 640,)
    np.testing.assert_array_equal(source.mean_face(), MEAN_FACE)
    np.testing.assert_array_equal(source.neighbours("train", 4), np.eye(4))


def test_sound_comes_at_the_files_own_rate(data):
    source = open_conversations(data.root)
    waveform, rate = source.sound(source.dyads("train")[0].speaker, 1.5)
    assert rate == 44100
    expected, _ = read_native_audio(data.path("Audio_files", NOXI[0], ".wav"), 0.0, 1.5)
    np.testing.assert_array_equal(waveform, expected)


def test_a_file_that_goes_away_after_the_start_is_named(data):
    source = open_conversations(data.root)
    speaker = source.dyads("train")[0].speaker
    data.path("3D_FV_files", NOXI[0], ".npy").unlink()
    with pytest.raises(UserError, match=rf"3D_FV_files/{NOXI[0]}\.npy: was there at the start"):
        source.coeffs(speaker)


def test_a_fingerprint_tells_contents_apart_and_not_places(data, tmp_path):
    before = open_conversations(data.root).fingerprint()
    moved = tmp_path / "elsewhere"
    shutil.copytree(data.root, moved)
    assert open_conversations(moved).fingerprint() == before
    changes = {
        "mean_face.npy": lambda path: np.save(path, np.zeros(58)),
        "train.csv": lambda path: path.write_text(path.read_text().rsplit("\n", 2)[0]),
        f"train/3D_FV_files/{NOXI[1]}.npy": lambda path: np.save(path, data.coeffs(NOXI[1]) + 1),
    }
    found = {before}
    for name, change in changes.items():
        shutil.copytree(data.root, tmp_path / "changed")
        change(tmp_path / "changed" / name)
        found.add(open_conversations(tmp_path / "changed").fingerprint())
        shutil.rmtree(tmp_path / "changed")
    assert len(found) == 4


def test_a_folder_without_lists_has_no_fingerprint(data):
    (data.root / "train.csv").unlink()
    with pytest.raises(UserError, match="holds none of train, val, test"):
        open_conversations(data.root).fingerprint()
