"""The square frames around a face."""

import numpy as np
import pytest

from jaxreact.tracking.face_crop import face_frames
from tests.clips import CARPHONE, write_clip


@pytest.mark.parametrize(("x", "columns"), [(0.0, (0, 48)), (0.5, (8, 56)), (1.0, (16, 64))])
def test_the_square_is_around_the_face(tmp_path, x, columns):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, 30:] = 200
    clip = write_clip(tmp_path / "edge.mp4", [picture] * 3, [0.0, 0.04, 0.08])
    frame = next(face_frames(clip, 1, (x, 0.5), 48))
    expected = picture[:, slice(*columns)]
    assert abs(frame.astype(int) - expected).mean() < 8


def test_frames_have_the_wanted_number_and_size():
    frames = list(face_frames(CARPHONE, 7, (0.5, 0.5), 64))
    assert [frame.shape for frame in frames] == [(64, 64, 3)] * 7


def test_the_picture_is_turned_before_it_is_cut(tmp_path):
    picture = np.zeros((64, 48, 3), np.uint8)
    picture[:20] = 200
    clip = write_clip(tmp_path / "turned.mp4", [picture] * 3, [0.0, 0.04, 0.08])
    frame = next(face_frames(clip, 1, (1.0, 0.5), 48, turn=90))  # what was above is on the right
    assert abs(frame.astype(int) - np.rot90(picture, -1)[:, 16:]).mean() < 8
