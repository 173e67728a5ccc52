"""Clips in stretches: every frame once, the last one ending with its clip, short ones filled."""

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.evaluation.stretches import StretchReader, stretches
from tests.data.mars_files import small

PARTS = (Modality("speaker", "coeffs"), Modality("speaker", "waveform"))


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 65, 100, 320])
def test_every_frame_is_kept_once(length):
    kept = []
    for stretch in stretches([length], [0], 32):
        frames = range(stretch.begin, stretch.begin + stretch.frames)
        assert 0 <= frames[0] <= frames[-1] < length
        assert len(frames) == min(32, length)
        kept += list(frames)[stretch.kept]
    assert kept == list(range(length))


def test_clips_follow_each_other_and_may_be_left_out():
    found = [(each.clip, each.number) for each in stretches([70, 10, 40], [0, 2], 32)]
    assert found == [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)]


def test_without_a_longest_each_clip_is_one():
    found = stretches([70, 10], [0, 1], None)
    assert [(each.frames, each.kept) for each in found] == [(70, slice(0, 70)), (10, slice(0, 10))]


def test_items_have_one_length_and_what_lacks_stands_still_in_silence(tmp_path):
    data = open_conversations(small(tmp_path / "mars").root)
    dyads = data.dyads("train")  # 100, 50 and 75 frames
    some = stretches([dyad.speaker.frames for dyad in dyads], [0, 1], None)
    long, short = StretchReader(data, dyads, PARTS).read(some, multiple=32)
    assert long["speaker_coeffs"].shape == short["speaker_coeffs"].shape == (128, 58)
    assert long["speaker_waveform"].shape == short["speaker_waveform"].shape == (128 * 640,)
    coeffs = data.coeffs(dyads[1].speaker)
    np.testing.assert_array_equal(short["speaker_coeffs"][:50], coeffs)
    np.testing.assert_array_equal(short["speaker_coeffs"][50:], np.tile(coeffs[-1], (78, 1)))
    assert not short["speaker_waveform"][50 * 640 :].any()
    assert short["speaker_waveform"][: 50 * 640].any()


def test_a_stretch_is_read_from_where_it_begins(tmp_path):
    data = open_conversations(small(tmp_path / "mars").root)
    dyads = data.dyads("train")
    some = stretches([100], [0], 32)
    items = StretchReader(data, dyads, PARTS).read(some, multiple=32, least=32)
    coeffs = data.coeffs(dyads[0].speaker)
    sound = data.waveform(dyads[0].speaker, 68, 32)
    assert [stretch.begin for stretch in some] == [0, 32, 64, 68]
    np.testing.assert_array_equal(items[3]["speaker_coeffs"], coeffs[68:100])
    np.testing.assert_array_equal(items[3]["speaker_waveform"], sound)
