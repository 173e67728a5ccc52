"""The MARS layout: folders name pairs, sessions say who suits whom, 30 frames become 25."""

import shutil
import warnings

import numpy as np
import pytest

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import COEFFS, MARS
from jaxreact.data.mars.data_set import Mars
from jaxreact.errors import Remark, UserError
from tests.data.mars_files import MarsFiles, small


@pytest.fixture
def files(tmp_path) -> MarsFiles:
    return small(tmp_path / "mars")


def test_it_is_recognised_even_beside_lists_that_do_not_describe_it(files):
    (files.root / "train.csv").write_text("id,a,b\n0,UDIVA/x/FC1/1/2,UDIVA/x/FC2/1/2\n")
    data = open_conversations(files.root)
    assert isinstance(data, Mars)
    assert isinstance(data, Conversations)
    assert (data.release, data.splits()) == (MARS, ("train", "val"))


def test_pairs_are_by_session_and_name_in_the_order_of_numbers(files):
    dyads = Mars(files.root).dyads("train")
    assert [(dyad.speaker.name, dyad.listener.name) for dyad in dyads] == [
        ("session2/speaker/bb", "session2/listener/bb"),
        ("session2/speaker/ccc", "session2/listener/ccc"),
        ("session10/speaker/a", "session10/listener/a"),
    ]


def test_lengths_are_in_frames_of_25_and_may_differ(files):
    first, second, third = Mars(files.root).dyads("train")
    assert (first.speaker.frames, first.listener.frames, first.frames) == (100, 99, 99)
    assert (second.frames, third.frames) == (50, 75)


def test_mirrored_pairs_come_after_the_others(files):
    dyads = Mars(files.root).dyads("train", mirrored=True)
    assert len(dyads) == 6
    assert dyads[3].speaker == dyads[0].listener


def test_what_is_read_has_25_frames_a_second(files):
    data = Mars(files.root)
    clip = data.dyads("train")[0].speaker
    stored = np.load(files.root / "train/coefficients/speaker/session2/bb.npy")
    coeffs = data.coeffs(clip)
    assert coeffs.shape == (100, 58)
    np.testing.assert_array_equal(coeffs[::5], stored[::6, 0][:20])  # 0.2 s are frames of both
    between = 0.8 * stored[1, 0] + 0.2 * stored[2, 0]  # frame 1 stands at 1.2 of 30 a second
    np.testing.assert_allclose(coeffs[1], between, atol=1e-6)
    emotion = data.emotion(clip)
    assert emotion.shape == (100, 25)
    assert set(np.unique(emotion[:, :15])) <= {0, 1}
    attributes = np.load(files.root / "train/facial-attributes/speaker/session2/bb.npy")
    np.testing.assert_array_equal(data.recorded_emotion(clip), attributes)
    assert data.waveform(clip, 25, 50).shape == (32000,)


def test_axis_one_is_dropped_and_no_other(files):
    files.pair("val", "session3", "one", 1)
    data = Mars(files.root)
    clip = data.dyads("val")[1].speaker
    assert clip.frames == 1
    assert data.coeffs(clip).shape == (1, 58)
    path = files.path("val", "coefficients", "speaker", "session3", "one", ".npy")
    np.save(path, np.zeros((1, 2, 58), np.float32))
    with pytest.raises(UserError, match=r"one\.npy: shape \(1, 2, 58\)"):
        data.dyads("val")


def test_everybody_suits_who_hears_the_same_session(files):
    data = Mars(files.root)
    same = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(data.neighbours("train", 3), same)
    both = data.neighbours("train", 6)
    np.testing.assert_array_equal(both[:3, :3], same)
    np.testing.assert_array_equal(both[3:, 3:], same)
    assert not both[:3, 3:].any()
    with pytest.raises(UserError, match="3 pairs, not 4"):
        data.neighbours("train", 4)


def test_who_has_no_partner_is_left_out_with_a_remark(files):
    files.clip("train", "speaker", "session2", "alone", 30)
    with pytest.warns(Remark, match="1 clips have no partner.*session2/alone"):
        dyads = Mars(files.root).dyads("train")
    assert len(dyads) == 3
    assert Mars(files.root).alone("train") == ["session2/speaker/alone"]


def test_litter_is_no_clip(files):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Mars(files.root).dyads("train")) == 3


def test_a_missing_file_is_named(files):
    (files.root / "train/audio/speaker/session2/bb.wav").unlink()
    data = Mars(files.root)
    with pytest.raises(UserError, match=r"1 file of split train.*audio/speaker/session2/bb\.w"):
        data.dyads("train")
    assert len(data.dyads("train", (COEFFS,))) == 3


def test_a_split_without_pairs_is_refused(files):
    with pytest.raises(UserError, match="test: holds no pair of clips in the MARS layout"):
        Mars(files.root).dyads("test")


def test_fingerprints_follow_the_content(files, tmp_path):
    before = Mars(files.root).fingerprint()
    shutil.copytree(files.root, tmp_path / "copy")
    assert Mars(tmp_path / "copy").fingerprint() == before
    files.pair("val", "session3", "more", 30)
    assert Mars(files.root).fingerprint() != before
